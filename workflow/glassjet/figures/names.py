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
    "zz_bb": r"$Z\to b\bar{b}$",
    "zh_bb": r"$H\to b\bar{b}$",
    "z_quark": "quark",
    "z_gluon": "gluon",
    "two_prong": "two prongs",
    "toy_background": "background",
    "quark": "quark",
    "gluon": "gluon",
    "QCD": "QCD",  # the classes of JetClass and of HLS4ML
    "Tbqq": r"$t\to bq\bar{q}^\prime$",
    "Tbl": r"$t\to b\ell\nu$",
    "Wqq": r"$W\to q\bar{q}^\prime$",
    "Zqq": r"$Z\to q\bar{q}$",
    "Hbb": r"$H\to b\bar{b}$",
    "Hcc": r"$H\to c\bar{c}$",
    "Hgg": r"$H\to gg$",
    "H4q": r"$H\to 4q$",
    "Hqql": r"$H\to \ell\nu qq^\prime$",
    "t": r"$t$",
    "z": r"$Z$",
    "q": "quark",
    "g": "gluon",
    "bb": r"$b\bar{b}$",
}
STAGE_NAMES = {  # of a cutflow, in their order
    "events": "generated",
    "leading_jet_in_pt_window": r"$p_T$ window",
    "acceptance": "acceptance",
    "soft_drop": "soft drop",
    "matched": "matched",
}
MASSES = {"t": 172.6, "W": 80.4, "Z": 91.2, "H": 125.2}  # GeV: PDG, Phys. Rev. D 110 (2024) 030001
RESONANCES = {6: ("t", "W"), 23: ("Z",), 24: ("W",), 25: ("H",)}  # by |PDG id|: itself, and what a jet of it holds
# Of published samples, by their signal.
RESONANCE_OF = {"top": 6, "w": 24, "zz_bb": 23, "zh_bb": 25, "h_bb": 25, "t": 6, "z": 23}
RESONANCE_OF |= {"Tbqq": 6, "Wqq": 24, "Zqq": 23, "Hbb": 25, "Hcc": 25, "Hgg": 25, "H4q": 25}
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
    first, second = (
        " + ".join(CLASS_NAMES.get(part, part.replace("_", " ")) for part in name.split("+")) for name in names
    )
    return first, second


def resonances(metadata: Mapping[str, Any]) -> dict[str, float]:
    """The heavy particle that a signal jet is, then what it decays to: symbols with their masses, GeV.

    >>> resonances({"signal_resonance": 6})
    {'t': 172.6, 'W': 80.4}
    """
    pdgid = metadata.get("signal_resonance", RESONANCE_OF.get(str(metadata.get("signal"))))
    return {symbol: MASSES[symbol] for symbol in RESONANCES.get(pdgid or 0, ())}


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
