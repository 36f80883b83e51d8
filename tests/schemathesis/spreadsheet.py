"""Sends random texts as bodies of spreadsheets, which Schemathesis does not know: whatever they are, they are no
spreadsheet, and the server must say so."""

import schemathesis


@schemathesis.serializer("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
def spreadsheet(context, value):
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
