from visionhub_daylight import Daylight

from visionhub.testing import ProviderContract


class TestDaylight(ProviderContract):
    provider = Daylight
