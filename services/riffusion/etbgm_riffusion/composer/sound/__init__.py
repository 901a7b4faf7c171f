"""From score to sound: the synthesisers, and what their sound passes on its way to the bed and its stems."""
