"""Where published jets lie: data sets, their files, sizes and checksums, as their authors published them.

Sizes and checksums are those of the landing pages: for the quark and gluon jets, those that the package EnergyFlow
checks its own downloads against. What is not published is None. Imports nothing heavy.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from glassjet.errors import unknown

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class File:
    """A file to download.

    Attributes
    ----------
    name, url : str
    size : int or None
        Bytes; None where no exact number is known.
    checksum : str or None
        "md5:…" or "sha256:…"; None where none is published.
    split : str
        The authors' part of the data that it is: train, validation or test.
    holds : str
        What is in it, if it is an archive.
    """

    name: str
    url: str
    size: int | None
    checksum: str | None
    split: str
    holds: str = ""


@dataclass(frozen=True)
class DataSet:
    """A published data set.

    Attributes
    ----------
    name, title : str
    version : str
        As its page names it; empty where it has one only.
    page : str
        The address for people.
    licence, cite : str
    format : str
        The reader of `glassjet import`.
    files : tuple of File
    """

    name: str
    title: str
    version: str
    page: str
    licence: str
    cite: str
    format: str
    files: tuple[File, ...]


def _zenodo(record: int, name: str) -> str:
    return f"https://zenodo.org/records/{record}/files/{name}?download=1"


def _top_reference() -> DataSet:
    known = (
        ("train.h5", 1038496555, "45663819f47c13724f67eb0fd80bfa5c", "train"),
        ("val.h5", 347378076, "dca4b7248027618f041f9baa86d360fc", "validation"),
        ("test.h5", 347849376, "13163479dee30a5fe546e4536cc3d04d", "test"),
    )
    return DataSet(
        "top_reference",
        "Top Quark Tagging Reference Dataset: 2M jets, top and QCD",
        "v0 (2018_03_27)",
        "https://zenodo.org/records/2603256",
        "CC-BY-4.0",
        "arXiv:1902.09914, doi:10.5281/zenodo.2603256",
        "top_reference",
        tuple(File(name, _zenodo(2603256, name), size, f"md5:{md5}", split) for name, size, md5, split in known),
    )


JETCLASS = {
    "train_100M_part0": "de4fd2dca2e68ab3c85d5cfd3bcc65c3",
    "train_100M_part1": "9722a359c5ef697bea0fbf79bf50f003",
    "train_100M_part2": "1e9f66cd1f915f9d10e90ae1d7761720",
    "train_100M_part3": "47348fc8985319fa4806da87500482fa",
    "train_100M_part4": "6b0ce16bd93b442a8d51914466990279",
    "train_100M_part5": "416e347512e716de51d392bee327b8e9",
    "train_100M_part6": "e9b9c1557b1b39bf0a16e4ab631ae451",
    "train_100M_part7": "5bfc6cb285ccb7680cefa9ac82ad1a2e",
    "train_100M_part8": "540c1a0d66dfad78d2b363c5740ccf86",
    "train_100M_part9": "668f40b3275167ff7104c48317c0ae2a",
    "val_5M": "7235ccb577ed85023ea3ab4d5e6160cf",
    "test_20M": "64e5156d26d101adeb43b8388207d767",
}


def _jetclass() -> DataSet:
    splits = {"train": "train", "val": "validation", "test": "test"}
    files = []
    for part, md5 in JETCLASS.items():
        name = f"JetClass_Pythia_{part}.tar"
        holds = "ROOT files named by class and number, such as HToBB_100.root"
        files.append(File(name, _zenodo(6619768, name), None, f"md5:{md5}", splits[part.split("_")[0]], holds))
    return DataSet(
        "jetclass",
        "JetClass: 125M jets of ten classes",
        "v1.0.0",
        "https://zenodo.org/records/6619768",
        "CC-BY-4.0",
        "arXiv:2202.03772, doi:10.5281/zenodo.6619768",
        "jetclass",
        tuple(files),
    )


PYTHIA = (  # sha256 of the files 0-19
    "3f27a02eab06e8b83ccc9d25638021e6e24c9361341730961f9d560dee12c257",
    "648e49cd59b5353e0064e7b1a3388d9c2f4a454d3ca67afaa8d0344c836ecb35",
    "09f7b16fa7edb312c0f652bb8504de45f082c4193df65204d693155017272fe9",
    "7dc9a50bb38e9f6fc1f11db18f9bd04f72823c944851746b848dee0bba808537",
    "3e6217aad8e0502f5ce3b6371c61396dfc48a6cf4f26ee377cc7b991b1d2b543",
    "b5b7d742b2599bcbe1d7a639895bca64c28da513dc3620b0e5bbb5801f8c88fd",
    "7d31bc48c15983401e0dbe8fd5ee938c3809d9ee3c909f4adab6daf8b73c14f1",
    "cec0d7b2afa9d955543c597f9b7f3b3767812a68b2401ec870caf3a2ceb98401",
    "e984620f57abe06fc5d0b063f9f84ba54bd3e8c295d2b2419a7b1c6175079ed4",
    "6e3b69196995d6eb3b8e7af874e2b9f93d904624f7a7a73b8ff39f151e3bd189",
    "fa3d386f230b806058ff17e5bd77326ff4bf01d72aa5eb3325c1df2a8825927c",
    "acd49ab7bea8f72ecf699a9a898bccacc8730474259d68406656a5a43d407fb0",
    "2edd55b8bc30c686a0637855e1ba068586eb97041e8114d5540d96db2a7a2e17",
    "7276a8a0e573f9795a47f9d5addc10d2af903c2a0ffa5c848a720ccae93daa90",
    "2068ecfa912e94cd3ce7273b7c77af0bbd5ec57940997e7483b56f03434a6869",
    "41a732ce6321dd593214225b03fb87329607ccae768c705e3896ffecc28bfcca",
    "9d68caeb18f3ccf127b9032f52e63ee011c4381293a3a503f894e5c0741ae215",
    "086053ca611bb04d97fa0b6509b4ffb6955421b067c7b277498f0e5188879331",
    "cdc595f5fedef7db9411a9f93f2786f110073b4d17a523700f625846588b1e44",
    "d07781139320ae134ce4824bc0cefa43fd5003cd97cdf3aed90d4fb12fad8a1d",
)
HERWIG = (  # sha256 of the files 0-19
    "0527349778c0ab2f7da268975fb9e7c0705c88d60f2c478401d941b9913f4d44",
    "65ef3b4cced4e2618c2bf8f3c66ef707dbd7a9740825f93549732d64e60d7ea8",
    "f13dab1937e40d0c05b97e9813fb4dda5156a8f6b4e41a89cc13821d02a60f58",
    "7b55e26262f2c156b15014b796d0a7e7a5254a982170f45cf2d9857b1f23b5f7",
    "3a5006da4a05192636a74fc818256fce215970c626719738cae9f82e3f068646",
    "2601564aee41aa5851392d6b3d12021f978fa17199e42dde004e35d1175055ea",
    "2c1fc34e99816a0bb5a84f68fa42f6314252521f6b32384a118cdec872ea97a1",
    "4b05f17acb046ad50232987003b89a91800cc713eefd81142ffeb42259369fb2",
    "150cbe132a2ee3178ba3a93a6b1733b3498b728db91f572295b6213d287ec1f7",
    "7d74c90843c751ade4cac47f6c2505da8bcbaf8645bc3f9870bdca481ff805fd",
    "e2b9072da8436618c602fbcf2409fe9be9a46dea7cff1fcc36f1ba8fefa6842d",
    "c69f499b7ea09029da7e78dcc527feca6b1680685e3c9a481db292d5518e3f1c",
    "db25d85d3a35978c607f9b5b0b52f4140c984eb5a5ab236cbf3e6eb34ead761c",
    "9a51ddd383e32154fc504ddcb138e54f0f1bd35079fe5cfa9139839c229cd78e",
    "be0fa462ea907d36972c8573b9a2f6bcdf5cf66648fa397739d12ecb677948e5",
    "7b17400c6867243e8137bd97e0f9743682a5d8c772685a6654f42f1fa2731960",
    "4c484f6508180c0e4e4a5c90b37d1b15cc67afaa3c5998306e8e633848ce6dfc",
    "d1f9baf3a3a148080d1735130f6b18f0f598991a8d886eff3c427b2e2265fce1",
    "bb70219d78e1d92091efacbf933da632670c8318d00777e4144d9a0c782e5749",
    "94975b3d999868485780d2d9e4330273aa8f0db4b9a7f6094d360f637659a264",
)


def _energyflow(generator: str, record: int, names: list[str], sha256: tuple[str, ...]) -> DataSet:
    """Twenty files of 100,000 jets; the authors recommend 1.6M, 200,000 and 200,000 jets for the splits."""
    splits = ("train",) * 16 + ("validation",) * 2 + ("test",) * 2
    rows = zip(names, sha256, splits, strict=True)
    return DataSet(
        f"energyflow_{generator.split()[0].lower()}",
        f"Quark (uds) and gluon jets of {generator}: 2M jets",
        "",
        f"https://zenodo.org/records/{record}",
        "CC-BY-4.0",
        f"arXiv:1810.05165, doi:10.5281/zenodo.{record}",
        "energyflow",
        tuple(File(name, _zenodo(record, name), None, f"sha256:{digest}", split) for name, digest, split in rows),
    )


def _hbb_open_data() -> DataSet:
    """The test files are 0-8, the training files 9-90; no checksum is known to us."""
    folder = (
        "http://opendata.cern.ch/eos/opendata/cms/datascience/HiggsToBBNtupleProducerTool/"
        "HiggsToBBNTuple_HiggsToBB_QCD_RunII_13TeV_MC"
    )
    files = []
    for number in range(91):
        name, split = f"ntuple_merged_{number}.root", "test" if number < 9 else "train"
        files.append(File(name, f"{folder}/{split}/{name}", None, None, split))
    return DataSet(
        "hbb_open_data",
        "CMS simulation, H->bb and QCD jets with tracks and secondary vertices",
        "",
        "https://opendata.cern.ch/record/12102",
        "CC0-1.0",
        "doi:10.7483/OPENDATA.CMS.JGJX.MS7Q",
        "hbb_open_data",
        tuple(files),
    )


DATASETS = {
    dataset.name: dataset
    for dataset in (
        _top_reference(),
        _jetclass(),
        _energyflow("Pythia 8.226", 3164691, ["QG_jets.npz", *(f"QG_jets_{i}.npz" for i in range(1, 20))], PYTHIA),
        _energyflow("Herwig 7.1.4", 3066475, [f"QG_jets_herwig_{i}.npz" for i in range(20)], HERWIG),
        _hbb_open_data(),
    )
}


def dataset(name: str) -> DataSet:
    """The data set of that name."""
    if name not in DATASETS:
        raise unknown("data set", name, DATASETS)
    return DATASETS[name]


def chosen(of: DataSet, words: Iterable[str] | None) -> list[File]:
    """The files that words name, in the order of the table: a name, a pattern such as QG_jets_1?.npz, or a split.

    All without words. Raises InputError for a word that no file answers to.
    """
    if words is None:
        return list(of.files)
    found = set()
    for word in words:
        names = {file.name for file in of.files if file.split == word or fnmatchcase(file.name, word)}
        if not names:
            raise unknown(f"file of {of.name}", word, [file.name for file in of.files])
        found |= names
    return [file for file in of.files if file.name in found]


def is_archive(file: File) -> bool:
    """Whether its contents have to be unpacked. An .npz file is a zip archive too, but read as it is."""
    return PurePosixPath(file.name).suffix in (".tar", ".tgz", ".zip") or file.name.endswith(".tar.gz")


def amount(size: int | None) -> str:
    """A number of bytes for people.

    >>> amount(347849376), amount(None)
    ('348 MB', 'size unknown')
    """
    if size is None:
        return "size unknown"
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size} bytes"


def table(name: str | None = None) -> str:
    """The data sets as text for a terminal; with a name, that one and each of its files."""
    paragraphs = []
    for of in [dataset(name)] if name is not None else DATASETS.values():
        version = f", {of.version}" if of.version else ""
        lines = [f"{of.name}: {of.title}{version}", f"  {of.page}  licence {of.licence}; cite {of.cite}"]
        width = max(len(file.name) for file in of.files)
        for split in SPLITS:
            files = [file for file in of.files if file.split == split]
            if files and name is None:
                names = f"{files[0].name} … {files[-1].name}" if len(files) > 1 else files[0].name
                count = f"{len(files)} files" if len(files) > 1 else "1 file"
                lines.append(f"  {split:<10}  {names}  ({count}, {amount(total(files))})")
            for file in files if name is not None else []:
                checksum = file.checksum or "no checksum published"
                lines.append(f"  {split:<10}  {file.name:<{width}}  {amount(file.size):<12}  {checksum}")
        if holds := {file.holds for file in of.files if file.holds}:
            lines.append(f"  archives of {'; '.join(sorted(holds))}: unpack them with --unpack")
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)


def total(files: Iterable[File]) -> int | None:
    """Bytes of some files together; None if one is unknown."""
    sizes = [file.size for file in files]
    return None if None in sizes else sum(size for size in sizes if size is not None)
