"""What the line would do for one elder on a day ahead, worked out in virtual time: nothing is rung, nothing written."""
