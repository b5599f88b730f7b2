"""Who makes the vectors of a memory: a built-in embedder, one of the caller, or the caller by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from porism import _core
from porism._errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]

#: The one object that stands for it in numpy.
_FLOAT32 = np.dtype(np.float32)
#: Dtypes that are taken, exactly or by conversion.
_TAKEN = (np.float32, np.float16, np.float64)


@dataclass(frozen=True, slots=True)
class Vectors:
    """An embedder: its name, how long its vectors are, and how they are made.

    Name and dimension are stored in the memory; to open it with others is an error, because vectors of different
    embedders cannot be compared.

    Attributes:
        id: Its name, with everything that its vectors depend on, such as the model and its version.
        dimension: How many numbers a vector has.
        embed: Makes one row a text; ``None`` when every call brings its own vectors.
    """

    id: str
    dimension: int
    embed: Callable[[Sequence[str]], npt.ArrayLike] | None = None

    def of(self, texts: Sequence[str]) -> Floats:
        """The vectors of ``texts``, shape ``(len(texts), dimension)``.

        Raises:
            InputError: there is no function, or it returned something else.
        """
        if self.embed is None:
            raise InputError(f"the embedder {self.id!r} has no function: hand over vectors")
        return rows(np.asarray(self.embed(texts)), count=len(texts), dimension=self.dimension)


def embedder(named: str | Vectors) -> Vectors:
    """The embedder that was named, or handed over.

    Raises:
        InputError: no built-in embedder has that name.
    """
    if isinstance(named, Vectors):
        return named
    if named not in _core.EMBEDDERS:
        known = ", ".join(_core.EMBEDDERS)
        raise InputError(f"no built-in embedder {named!r}: expected one of {known}, or porism.Vectors(id, dimension)")
    return Vectors(named, _core.DIMENSION)


def is_built_in(one: Vectors) -> bool:
    """Whether the core itself makes the vectors."""
    return one.embed is None and one.id in _core.EMBEDDERS


def vectors(one: Vectors, texts: Sequence[str]) -> Floats:
    """The vectors of ``texts``, shape ``(len(texts), dimension)``, whoever makes them.

    Raises:
        InputError: nobody does.
    """
    if is_built_in(one):
        made = np.frombuffer(_core.embed(one.id, list(texts)), dtype="<f4")
        return made.reshape(len(texts), one.dimension)
    return one.of(texts)


def sentences(
    model: str = "sentence-transformers/all-MiniLM-L6-v2", *, name: str | None = None, **options: Any
) -> Vectors:
    """The embedder of a sentence-transformers model, which is loaded now: ``pip install "porism[sentences]"``.

    Args:
        model: The name of a model, or the folder that holds one.
        name: What the memory calls it, instead of ``model``: a folder may stand elsewhere the next time.
        **options: For ``SentenceTransformer``, such as ``device`` or ``local_files_only``.

    Raises:
        InputError: the package is not installed.
    """
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise InputError(
            'sentence-transformers is not installed; get it with: pip install "porism[sentences]"'
        ) from None
    loaded = SentenceTransformer(model, **options)
    # Renamed in version 6, where the older name warns.
    dimension = getattr(loaded, "get_embedding_dimension", None) or loaded.get_sentence_embedding_dimension
    return Vectors(
        f"sentence-transformers:{name or model}",
        int(dimension()),
        lambda texts: loaded.encode(list(texts), convert_to_numpy=True, show_progress_bar=False),
    )


def rows(vectors: npt.ArrayLike, *, count: int, dimension: int) -> Floats:
    """``vectors`` as the core reads them: C-contiguous ``float32`` of shape ``(count, dimension)``.

    Such an array is passed on as it is, without a copy; ``float16`` and ``float64`` are converted.

    Raises:
        InputError: the dtype or the shape is another.
    """
    array = _floats(vectors)
    if array.shape != (count, dimension):
        raise InputError(f"the vectors have the shape {array.shape}, expected ({count}, {dimension})")
    return array


def all_rows(vectors: npt.ArrayLike, *, dimension: int) -> Floats:
    """The same for as many vectors as there are: shape ``(n, dimension)``.

    Raises:
        InputError: the dtype or the shape is another.
    """
    array = _floats(vectors)
    if array.ndim != 2 or array.shape[1] != dimension:
        raise InputError(f"the vectors have the shape {array.shape}, expected (n, {dimension})")
    return array


def row(vector: npt.ArrayLike, *, dimension: int) -> Floats:
    """One vector as the core reads it: C-contiguous ``float32`` of shape ``(dimension,)``.

    Raises:
        InputError: the dtype or the shape is another.
    """
    array = _floats(vector)
    if array.shape != (dimension,):
        raise InputError(f"the vector has the shape {array.shape}, expected ({dimension},)")
    return array


def _floats(vectors: npt.ArrayLike) -> Floats:
    if type(vectors) is np.ndarray and vectors.dtype is _FLOAT32 and vectors.flags.c_contiguous:
        return vectors
    array = np.asarray(vectors)
    if array.dtype not in _TAKEN:
        raise InputError(f"the vectors are {array.dtype}: expected float32, float16 or float64")
    # A number that float32 cannot hold becomes infinite, and is refused for that later.
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(array, dtype=np.float32)
