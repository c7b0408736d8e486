"""Every error that the client raises on purpose, named as Freshet names its own.

FreshetError
├── SettingsError            an argument that cannot be used
├── StateError               what is stored in Redis is not what should be there
│   └── UnknownVersion       a list of another format
├── ServiceError             Kafka or Redis cannot be reached, does not answer in time, or refuses
└── InvalidEvent             an event or profile that the workers would refuse; carries their reason code
"""


class FreshetError(Exception):
    """Base of all errors raised on purpose; the message says what, the value, what is allowed and the fix."""


class SettingsError(FreshetError):
    """An argument that cannot be used."""


class StateError(FreshetError):
    """What is stored in Redis is not what should be there."""


class UnknownVersion(StateError):
    """A list of another format."""


class ServiceError(FreshetError):
    """Kafka or Redis cannot be reached, does not answer in time, or refuses."""


class InvalidEvent(FreshetError):
    """An event or profile that the workers would refuse.

    Parameters
    ----------
    reason
        The code that its dead letter would have.
    message
        What is wrong, the value, what is allowed.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
