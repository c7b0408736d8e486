"""Every error that Freshet raises on purpose.

FreshetError
├── SettingsError            a setting, flag or file that cannot be used (exit code 2)
├── LogError                 a recorded log that cannot be read (file, line, what to do)
├── StateError               stored state that cannot be trusted or does not fit
│   ├── UnknownVersion       bytes written by another version of Freshet
│   ├── ValueTooLarge        one value larger than its topic takes
│   └── ResetRequired        the stored state belongs to another log; `freshet reset` is the way on
├── ServiceError             Kafka, Redis or a local process that cannot be reached or fails
│   └── SchemaUnavailable    a schema that the registry cannot give now; the records are not to blame
├── Undecodable              a record batch in Kafka that cannot be decoded
└── InvalidEvent             one bad event; carries the reason code of its dead letter
"""


class FreshetError(Exception):
    """Base of all errors raised on purpose; the message says what, the value, what is allowed and the fix."""


class SettingsError(FreshetError):
    """A setting, flag or file that cannot be used."""


class LogError(FreshetError):
    """A recorded log that cannot be read."""


class StateError(FreshetError):
    """Stored state that cannot be trusted or does not fit."""


class UnknownVersion(StateError):
    """Bytes written by another version of Freshet."""


class ValueTooLarge(StateError):
    """One value larger than its topic takes."""


class ResetRequired(StateError):
    """The stored state belongs to another log than the one at hand."""


class ServiceError(FreshetError):
    """Kafka, Redis or a local process that cannot be reached or fails."""


class SchemaUnavailable(ServiceError):
    """A schema that the registry cannot give now: the records that need it are kept, and tried again."""


class Undecodable(FreshetError):
    """A record batch in Kafka that cannot be decoded.

    Parameters
    ----------
    offset
        The first one that cannot be read.
    why
        What the decoder said.
    """

    def __init__(self, topic: str, partition: int, offset: int, why: str) -> None:
        super().__init__(f"topic {topic}, partition {partition}, offset {offset} cannot be decoded: {why}")
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.why = why


class InvalidEvent(FreshetError):
    """One bad event.

    Parameters
    ----------
    reason
        The reason code of the dead letter, one of `models.events.REASONS`.
    message
        What is wrong, the value, what is allowed.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
