"""What facts may carry of a field: the contract alone says it, and what is unsaid is nothing."""

from functools import cache

from core.contract.catalogue import files_of
from core.contract.fields import data_of
from medhub.options.v1 import data_pb2 as options


@cache
def figure_of(path: str) -> options.Figure:
    """The figure of a field, by its full name (`medhub.clinical.v1.Hl7Message.state`)."""
    message, _, name = path.rpartition(".")
    package, _, short = message.rpartition(".")
    try:
        files = list(files_of((package,)))
    except ModuleNotFoundError:
        files = []  # A table of the tests: no contract declares anything of it.
    for file in files:
        if short in file.message_types_by_name:
            return data_of(file.message_types_by_name[short].fields_by_name[name]).figure
    return options.Figure()
