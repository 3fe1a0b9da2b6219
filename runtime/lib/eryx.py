"""The host of this sandbox: functions that it offers to programs.

    import eryx
    result = await eryx.invoke("name", '{"arg": "value"}')

Every callback is also a function of the session under its own name: `await name(arg="value")`.
`callbacks` maps names to these functions, for names that are no Python names.
"""

from _eryx_callbacks import CallbackError, callbacks, invoke, list_callbacks

__all__ = ["CallbackError", "callbacks", "invoke", "list_callbacks"]
