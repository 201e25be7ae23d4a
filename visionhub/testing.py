"""Tests that every provider passes, for those who write one.

    from visionhub.testing import ProviderContract

    class TestMine(ProviderContract):
        provider = MyProvider
"""
