"""Every code that a converter may report, with the sentence that a person reads.

What means the same is no loss: weight 1 and no weight, one text part and a string,
``parallel_tool_calls`` true and absent, ``strict`` false and absent, image detail ``auto`` and
absent. ``metadata`` is the user's own and never sent, which is no loss either.
"""

from __future__ import annotations

LOSSES = {
    "arguments_reformatted": "line breaks between the tokens of `arguments` become spaces",
    "image_detail_dropped": "the wanted detail of an image is left out",
    "image_dropped": "images are left out; the text around them stays",
    "name_dropped": "the name of a speaker is left out",
    "parallel_tool_calls_dropped": "that tools may not be called in parallel is left out",
    "parts_joined": "several text parts of a message become one text",
    "reference_as_text": "what graders read is text there, whatever it was",
    "reference_renamed": "a key that graders read gets another name",
    "strict_dropped": "`strict` of a tool is left out",
    "system_merged": "the system text is put before the first user turn",
    "tool_calls_as_text": "tool calls and results become text and are learnt as such",
    "tool_call_ids_changed": "ids of tool calls are replaced; calls and results stay together",
    "tool_results_reordered": "which call a result answers is told by order alone and changes",
    "tools_dropped": "the tools on offer are left out",
    "turns_flattened": "earlier turns become part of the prompt text and are not learnt",
    "turns_merged": "neighbouring turns of one speaker become one turn",
    "weight_dropped": "turns with weight 0 are learnt like the others",
}
