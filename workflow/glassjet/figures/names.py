"""What things are called in figures: samples, classes, taggers, methods, features."""

from collections.abc import Iterable, Mapping
from typing import Any

TAGGER_NAMES = {
    "mbns": "MBNS",
    "pfn": "PFN",
    "xaug_image": "CNN",
    "xaug_dnn": "DNN",
    "mass_tau32": r"cut on $m_\mathrm{SD}$ and $\tau_{32}$",
}
FEATURE_NAMES = {"xaug29": "29 XAUG", "mbns": r"$\tau_N^{(\beta)}$", "kinematics": "constituents", "image": "image"}
METHOD_NAMES = {  # figures have the methods in this order
    "lrp_recommended": "LRP, recommended",
    "lrp_p1": "LRP, P1",
    "lrp_p2": "LRP, P2",
    "shap": "SHAP",
    "delta_auc": r"$\Delta$AUC",
    "delta_auc_conditional": r"$\Delta$AUC, conditional",
    "delta_auc_mean": r"$\Delta$AUC, mean",
    "delta_auc_zero": r"$\Delta$AUC, zero",
    "delta_cross_entropy": r"$\Delta H$",
    "delta_cross_entropy_conditional": r"$\Delta H$, conditional",
    "mad": "MAD",
    "mad_papers_mean": "MAD, P2",
}
REPLACEMENT_NAMES = {
    "permutation": "permuted",
    "conditional": "conditional mean",
    "mean": "mean",
    "zero": "zero",
}
CLASS_NAMES = {
    "qcd": "QCD",
    "top": r"$t\to bq\bar{q}^\prime$",
    "z_bb": r"$Z\to b\bar{b}$",
    "w": r"$W\to q\bar{q}^\prime$",
    "h_bb": r"$H\to b\bar{b}$",
    "quark": "quark",
    "gluon": "gluon",
}
CONSTITUENT_LABELS = {
    "pt_fraction": r"$p_T/\sum p_T$",
    "pt": r"$p_T/\sum p_T$",
    "delta_eta": r"$\Delta\eta$",
    "delta_phi": r"$\Delta\phi$",
}


def sample_line(metadata: Mapping[str, Any]) -> str:
    """What a sample is, in one line, from the metadata of its jet file; what it does not say is left out."""
    words = [str(metadata.get("sample", "")).replace("_", " ")]
    if "level" in metadata:
        words.append(f"{metadata['level']} level")
    if metadata.get("sqrts"):
        words.append(rf"$\sqrt{{s}}$ = {float(metadata['sqrts']) / 1000:g} TeV")
    if metadata.get("radius"):
        words.append(rf"anti-$k_T$ $R$ = {float(metadata['radius']):g}")
    window = metadata.get("pt")
    if isinstance(window, list | tuple) and len(window) == 2:
        words.append(rf"{window[0]:g} < $p_T$ < {window[1]:g} GeV")
    return ", ".join(word for word in words if word)


def class_names(metadata: Mapping[str, Any]) -> tuple[str, str]:
    """Names of background and signal for legends, from the metadata of a jet file."""
    names = [str(metadata.get(key, key)) for key in ("background", "signal")]
    first, second = (CLASS_NAMES.get(name, name.replace("_", " ")) for name in names)
    return first, second


def tagger_name(tagger: str, features: str) -> str:
    """Name of a tagger with its inputs for legends.

    >>> tagger_name("xaug_image", "image+xaug29")
    'CNN (image + 29 XAUG)'
    """
    name = TAGGER_NAMES.get(tagger, tagger.replace("_", " "))
    if tagger == features:
        return name
    inputs = [FEATURE_NAMES.get(token, token.replace("_", " ")) for token in features.split("+")]
    return f"{name} ({' + '.join(inputs)})"


def method_name(method: str) -> str:
    """Name of an attribution method for legends."""
    return METHOD_NAMES.get(method, method.replace("_", " "))


def in_order(methods: Iterable[str]) -> list[str]:
    """Methods in the order in which every figure has them."""
    known = {name: number for number, name in enumerate(METHOD_NAMES)}
    return sorted(dict.fromkeys(methods), key=lambda name: (known.get(name, len(known)), name))


def feature_label(name: str, labels: Mapping[str, str]) -> str:
    """The label of a feature for an axis of features: from `labels` without units and remarks, else from its name."""
    if name.startswith("noise_"):
        return f"noise {name.removeprefix('noise_')}"
    label = labels.get(name) or CONSTITUENT_LABELS.get(name)
    return label.split(" [")[0].split(" (")[0] if label else name.replace("_", " ")
