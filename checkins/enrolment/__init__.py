"""The papers of enrolment: the sheet on which an elder agrees, and the card for the fridge."""
