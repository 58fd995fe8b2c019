"""Licences of published corpora, as they apply to weights that were trained on them."""

# by the beginning of a corpus' title
TERMS = {
    "ESC-10": "CC BY (Piczak 2015)",
    "ESC-50": "CC BY-NC (Piczak 2015)",
    "UrbanSound8K": "CC BY-NC (Salamon, Jacoby and Bello 2014)",
    "TAU Urban": "for non-commercial use only (Tampere University)",
    "ICBHI 2017": "free for research (Rocha et al. 2019)",
}


def weights_licence(title: str) -> str:
    """Licence of weights that were trained on a corpus, in one sentence.

    Args:
        title: of the corpus, as `zoo.data.corpora.Corpus` has it.
    """
    terms = next((text for name, text in TERMS.items() if title.startswith(name)), None)
    carries = "The weights carry the licence of the data they were trained on"
    if terms is None:
        return f"{carries}, {title}; look it up before you use them."
    return f"{carries}: {title}, {terms}."
