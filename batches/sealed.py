"""Sealing files for one recipient: age for who has a key pair, an AES ZIP for who has only a password.

age (https://age-encryption.org/v1, X25519) encrypts to a public key that begins with ``age1``; only the
holder of the identity can open it, not even who sealed it. The files travel inside as one ZIP without
compression, made while it is encrypted: nothing plain is written beside. The AES ZIP (WinZip AE-2,
256 bits) opens in 7-Zip and the like with a password that must go another way than the file.
"""

from __future__ import annotations

import io
import secrets
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pyrage
import pyzipper

from batches.errors import BadIdentity, BadRecipient, NotSealedForYou, Stopped
from batches.part import PartFile
from batches.text import ALPHABET

CHUNK_BYTES: Final = 1 << 20
PASSWORD_LENGTH: Final = 25  # of 32 signs: 125 bits
MEMBERS_MAX: Final = 100_000
IDENTITY_BYTES_MAX: Final = 64 << 10
_MOMENT: Final = (1980, 1, 1, 0, 0, 0)  # the same files give the same plain ZIP, whenever it is made

Written = Callable[[str, int], None]  # name of the member, bytes of it so far; may raise to end the work


def new_identity() -> tuple[str, str]:
    """A new key pair: the identity (secret, to be kept) and the recipient (public, to be given away)."""
    identity = pyrage.x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def new_password(length: int = PASSWORD_LENGTH) -> str:
    """Random signs in groups of five, without I, L, O and U."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(length))
    return "-".join(signs[place : place + 5] for place in range(0, length, 5))


def check_recipient(text: str) -> str:
    """The recipient, tidied. Raises BadRecipient for anything but an age public key (``age1…``)."""
    _recipient(text)
    return text.strip()


def _recipient(text: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except pyrage.RecipientError as error:
        raise BadRecipient("this is no age recipient: it begins with age1", payload=text) from error


def read_identity(path: Path) -> str:
    """The identity in a file that ``age-keygen`` or ``python -m batches keygen`` wrote. Raises BadIdentity, OSError."""
    with path.open("rb") as file:
        lines = file.read(IDENTITY_BYTES_MAX).decode("utf-8-sig", "replace").splitlines()
    found = [line.strip() for line in lines if line.strip().startswith("AGE-SECRET-KEY-")]
    if len(found) != 1:
        raise BadIdentity(f"{path} does not hold one age identity", file=str(path))
    return found[0]


def _identity(text: str) -> pyrage.x25519.Identity:
    try:
        return pyrage.x25519.Identity.from_str(text.strip())
    except pyrage.IdentityError as error:
        raise BadIdentity("the age identity is damaged", file="") from error


def seal_bytes(plain: bytes, recipient: str) -> bytes:
    """A small thing sealed with age. Raises BadRecipient."""
    sealed: bytes = pyrage.encrypt(plain, [_recipient(recipient)])
    return sealed


def open_bytes(sealed: bytes, identity: str) -> bytes:
    """The small thing again. Raises BadIdentity, NotSealedForYou."""
    try:
        plain: bytes = pyrage.decrypt(sealed, [_identity(identity)])
    except pyrage.DecryptError as error:
        raise NotSealedForYou("it was sealed for another key, or is damaged") from error
    return plain


def seal_files(paths: Sequence[Path], recipient: str, out: Path, *, on_written: Written | None = None) -> None:
    """Seal files with age: ``out`` opens to a ZIP of them. Raises BadRecipient, OSError, what ``on_written`` does."""
    whom = _recipient(recipient)
    source = _Pulled(_zip_stream(paths, on_written or _silent))
    with PartFile(out) as part:
        try:
            pyrage.encrypt_io(source, part.file, [whom])
        except pyrage.EncryptError as error:
            if source.error is not None:
                raise source.error from error
            raise OSError(str(error)) from error


def seal_files_with_password(
    paths: Sequence[Path], password: str, out: Path, *, on_written: Written | None = None
) -> None:
    """Put files into an AES ZIP. Raises OSError, what ``on_written`` does."""
    tell = on_written or _silent
    with (
        PartFile(out) as part,
        pyzipper.AESZipFile(
            part.file, "w", compression=pyzipper.ZIP_STORED, encryption=pyzipper.WZ_AES, allowZip64=True
        ) as archive,
    ):
        archive.setpassword(password.encode("ascii"))
        for path in paths:
            member = archive.zipinfo_cls(path.name, date_time=_MOMENT)
            with path.open("rb") as file, archive.open(member, "w", force_zip64=True) as writing:
                done = 0
                while chunk := file.read(CHUNK_BYTES):
                    writing.write(chunk)
                    done += len(chunk)
                    tell(path.name, done)


def unseal_files(path: Path, identity: str, folder: Path) -> list[Path]:
    """Open what ``seal_files`` made, into ``folder``. Raises BadIdentity, NotSealedForYou, Stopped, OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    inner = folder / (path.stem + ".unsealing")
    try:
        with path.open("rb") as sealed, inner.open("wb") as plain:
            try:
                pyrage.decrypt_io(sealed, plain, [_identity(identity)])
            except pyrage.DecryptError as error:
                raise NotSealedForYou("it was sealed for another key, or is damaged") from error
        return _unpack(inner, folder)
    finally:
        inner.unlink(missing_ok=True)


def _unpack(path: Path, folder: Path) -> list[Path]:
    made: list[Path] = []
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist()[:MEMBERS_MAX]:
                name = member.filename
                if not name or name.startswith(".") or any(sign in name for sign in "/\\:\0"):
                    raise NotSealedForYou("it holds a file whose name leads elsewhere")
                with archive.open(member) as reading, PartFile(folder / name) as part:
                    while chunk := reading.read(CHUNK_BYTES):
                        part.file.write(chunk)
                made.append(folder / name)
    except zipfile.BadZipFile as error:
        raise NotSealedForYou("what was sealed is no pack") from error
    return made


def _silent(name: str, done: int) -> None:
    """Nobody listens."""


class _Pulled:
    """What age reads from: a stream that is made while it is read. An error within it is kept, for age hides it."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            while not self._left:
                self._left = next(self._pieces)
        except StopIteration:
            return b""
        except BaseException as error:
            self.error = error
            raise Stopped("the source of a sealed file ended early") from error
        size = len(self._left) if size < 0 else size
        piece, self._left = self._left[:size], self._left[size:]
        return piece


class _Gathered(io.RawIOBase):
    """Where the ZIP is written to: keeps what came since it was last asked, and cannot go back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._pieces.append(piece)
        return len(piece)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def _zip_stream(paths: Sequence[Path], tell: Written) -> Iterator[bytes]:
    """The ZIP of these files, a piece at a time."""
    gathered = _Gathered()
    with zipfile.ZipFile(gathered, "w", allowZip64=True) as archive:
        for path in paths:
            member = zipfile.ZipInfo(path.name, date_time=_MOMENT)
            with path.open("rb") as file, archive.open(member, "w", force_zip64=True) as writing:
                done = 0
                while chunk := file.read(CHUNK_BYTES):
                    writing.write(chunk)
                    done += len(chunk)
                    tell(path.name, done)
                    yield gathered.take()
            yield gathered.take()
    yield gathered.take()
