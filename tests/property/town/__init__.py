"""An invented neighbourhood under bad weather: days on which people ignore calls and the carrier loses, repeats and
reorders what it tells, in two houses (the pure cores alone; cycle and database), held against the same promises."""
