"""For all tests that pytest runs: how a case is called after its parameters."""

import pathlib


def pytest_make_parametrize_id(val):
    """Short, and without what a terminal or an environment variable would stumble over."""
    if isinstance(val, pathlib.PurePath):
        return val.name
    if isinstance(val, (str, bytes, list, tuple, dict)):
        words = val if isinstance(val, (list, tuple)) and val and all(isinstance(word, str) for word in val) else [val]
        text = " ".join(word if isinstance(word, str) else repr(word) for word in words)
        text = text.encode("unicode_escape").decode("ascii")
        return text if len(text) <= 40 else f"{text[:37]}..."
    return None
