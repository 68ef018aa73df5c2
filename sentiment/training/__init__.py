"""From the pinned wheel and labelled comments to the served model: `python -m sentiment.training --help`.

Needs the optional extra `train`; nothing outside this package imports torch, onnx or scikit-learn.
"""
