"""Colours of Okabe & Ito (2008), which people with colour-blindness tell apart."""

BLUE, SKY_BLUE, GREEN, ORANGE, VERMILION = "#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00"
PURPLE, BLACK, GREY = "#CC79A7", "#000000", "#767676"
#: Of policies, in their order.
CYCLE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY_BLUE, BLACK)
