"""Events as they are: records in the formats and with the fields that people have, plain events out."""

from app.sources.reader import file_source, make_source
from app.sources.settings import SourceSettings
from app.sources.source import Source, SourceEvent, SourceRecord

__all__ = ["Source", "SourceEvent", "SourceRecord", "SourceSettings", "file_source", "make_source"]
