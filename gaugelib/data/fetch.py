"""Files from the web: kept in a cache, and trusted only if their checksum is right."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from types import ModuleType

from gaugelib.group import GaugeError


@dataclass(frozen=True)
class Source:
    """A published file.

    Attributes:
        name: its name in the cache.
        md5: the checksum that its publisher or torchvision gives.
        urls: where it can be had, tried in this order.
    """

    name: str
    md5: str
    urls: tuple[str, ...]


def cache_folder() -> pathlib.Path:
    """Where downloaded files are kept by default: the user's own cache."""
    return pathlib.Path(_pooch().os_cache("gaugelib"))


def fetch(source: Source, folder: pathlib.Path | str | None = None) -> pathlib.Path:
    """The path of a file, downloaded if it is not in the folder yet.

    Args:
        source: the file.
        folder: where it is kept; by default `cache_folder()`.

    Raises:
        GaugeError: if pooch is not installed, no address answers, or the checksum differs.
    """
    pooch = _pooch()
    path = pathlib.Path(folder or cache_folder()) / source.name
    if path.exists():
        found = pooch.file_hash(str(path), alg="md5")
        if found != source.md5:
            raise GaugeError(
                f"'{path}' has MD5 {found} instead of {source.md5}; delete it to download it again"
            )
        return path
    failures = []
    for url in source.urls:
        failure = _download(pooch, url, source, path)
        if failure is None:
            return path
        failures.append(failure)
    raise GaugeError(
        f"'{source.name}' could not be downloaded. Without a network, put the file at '{path}' "
        f"yourself. Tried: {'; '.join(failures)}"
    )


def _download(pooch: ModuleType, url: str, source: Source, path: pathlib.Path) -> str | None:
    """Why a download failed, if it did."""
    try:
        pooch.retrieve(
            url, known_hash=f"md5:{source.md5}", fname=path.name, path=path.parent, progressbar=True
        )
    except (
        OSError,
        ValueError,
    ) as error:  # what requests raises is an OSError; a hash, a ValueError
        return f"{url} ({type(error).__name__}: {error})"
    return None


def _pooch() -> ModuleType:
    try:
        import pooch
    except ImportError as missing:
        raise GaugeError(
            "the paper's data sets are downloaded with pooch, which is not installed: "
            "pip install 'gaugelib[data]', or pip install pooch"
        ) from missing
    return pooch
