"""Recorded event logs: read them, pace them, fetch the known ones."""

from app.replay.choice import Choice, parse_types
from app.replay.columns import TIMESTAMP_UNITS, parse_columns
from app.replay.datasets import DATASETS, default_data_folder, fetch_dataset
from app.replay.delimited import parse_layout
from app.replay.mapped import SourceLog
from app.replay.ordered import ORDERS, OrderedLog, RatingRange
from app.replay.pacing import Pacer, parse_speed
from app.replay.readers import FORMATS, open_log, open_source_log
from app.replay.records import CatalogueEntry, EventLog, LogHash, LogRecord, log_sha256

__all__ = [
    "DATASETS",
    "FORMATS",
    "ORDERS",
    "TIMESTAMP_UNITS",
    "CatalogueEntry",
    "Choice",
    "EventLog",
    "LogHash",
    "LogRecord",
    "OrderedLog",
    "Pacer",
    "RatingRange",
    "SourceLog",
    "default_data_folder",
    "fetch_dataset",
    "log_sha256",
    "open_log",
    "open_source_log",
    "parse_columns",
    "parse_layout",
    "parse_speed",
    "parse_types",
]
