"""Reading one file of a log line by line, plain, gzip or zstd, from a folder or out of a zip."""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

from app.replay.arrow import arrow
from models.errors import LogError

MAX_LINE_BYTES = 16 * 1024 * 1024
"""No line of a log is longer; a file without line ends must not fill the memory."""

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")  # a frame, or one to be skipped before it
_MAGIC_BYTES = 4
_BUFFER_BYTES = 128 * 1024
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")


class LogFile:
    """One file of lines; plain, gzip or zstd by its first bytes, whatever its name.

    Parameters
    ----------
    label
        What errors call the file.
    opener
        Opens the raw bytes; called once per reading.
    size_bytes
        Size of the raw bytes.
    """

    def __init__(self, label: str, opener: Callable[[], AbstractContextManager[IO[bytes]]], size_bytes: int) -> None:
        self.label = label
        self.size_bytes = size_bytes
        self._opener = opener
        self._position: Callable[[], int] = lambda: 0

    @property
    def bytes_read(self) -> int:
        """Raw bytes taken in by the reading that began last."""
        return self._position()

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number (from 1) and bytes of each line, its line end included, a UTF-8 byte order mark at the start left out.

        Raises
        ------
        LogError
            When the bytes cannot be had: compressed data cut short or damaged, a wide encoding, an endless line.
        """
        number = 0
        try:
            with self._opener() as raw:
                buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)  # type: ignore[type-var]
                self._position = raw.tell
                stream = self._decompressed(buffered)
                while line := stream.readline(MAX_LINE_BYTES + 1):
                    number += 1
                    self._check(number, line)
                    yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        except EOFError as error:
            raise self.error(number + 1, "the compressed data end too early: copy or download it again") from error
        except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error) as error:
            raise self.error(number + 1, f"damaged compressed data ({error}): copy or download it again") from error
        except OSError as error:
            if error.errno is None:  # not from the system: what the zstd library says
                problem = f"damaged or truncated compressed data ({error}): copy or download it again"
                raise self.error(number + 1, problem) from error
            raise self.error(number + 1, f"cannot be read ({error.strerror or error})") from error
        finally:
            self._position = lambda: self.size_bytes

    def text_lines(self, encoding: str = "utf-8") -> Iterator[tuple[int, str]]:
        """`lines`, decoded one by one, so that an error names the very line."""
        for number, line in self.lines():
            try:
                yield number, line.decode(encoding)
            except UnicodeDecodeError as error:
                found = f"byte 0x{line[error.start]:02x} at column {error.start + 1} is not {encoding.upper()}"
                raise self.error(number, f"{found}: save the file as {encoding.upper()}") from error

    def error(self, line: int, problem: str) -> LogError:
        """Error that names the file and the line."""
        return LogError(f"{self.label}, line {line}: {problem}.")

    def _decompressed(self, raw: "io.BufferedReader[Any]") -> IO[bytes]:
        magic = raw.peek(_MAGIC_BYTES)
        if magic.startswith(_GZIP_MAGIC):
            return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
        if _ZSTD_MAGIC.match(magic):
            pa = arrow("pyarrow", f"{self.label} is compressed with zstd: reading it")
            return io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd"), _BUFFER_BYTES)
        return raw

    def _check(self, number: int, line: bytes) -> None:
        if len(line) > MAX_LINE_BYTES:
            raise self.error(number, f"a line of more than {MAX_LINE_BYTES:,} bytes: one event per line is expected")
        if number == 1 and line.startswith(_WIDE_MARKS):
            raise self.error(1, "the file is UTF-16: save it as UTF-8")


def plain_file(path: Path) -> LogFile:
    """`LogFile` of a file on disk."""
    try:
        size_bytes = path.stat().st_size
    except OSError as error:
        raise LogError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    return LogFile(str(path), lambda: path.open("rb"), size_bytes)


def zip_member(path: Path, member: zipfile.ZipInfo) -> LogFile:
    """`LogFile` of a member of a zip."""

    @contextmanager
    def opener() -> Iterator[IO[bytes]]:
        with zipfile.ZipFile(path) as archive:
            try:
                raw = archive.open(member)
            except (RuntimeError, NotImplementedError) as error:
                raise LogError(f"{path}: cannot unpack {member.filename} ({error}). Unpack it yourself.") from error
            with raw:
                yield raw

    return LogFile(f"{path}:{member.filename}", opener, member.file_size)
