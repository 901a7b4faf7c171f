"""From score to sound: the synthesisers, and the processing of their sound into the bed and its stems."""
