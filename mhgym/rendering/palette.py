"""Colours that people with colour-blindness tell apart; letters and words stand beside each of them.

Source: Okabe & Ito (2008), "Color universal design".
"""

from mhgym.domain import Risk, Role

Colour = tuple[int, int, int]

BLACK: Colour = (0, 0, 0)
ORANGE: Colour = (230, 159, 0)
SKY_BLUE: Colour = (86, 180, 233)
GREEN: Colour = (0, 158, 115)
VERMILION: Colour = (213, 94, 0)

PAPER: Colour = (255, 255, 255)
PANEL: Colour = (244, 244, 244)
LINE: Colour = (190, 190, 190)
MUTED: Colour = (105, 105, 105)
FADED: Colour = (218, 218, 218)

RISK: dict[Risk, Colour] = {Risk.LOW: SKY_BLUE, Risk.MEDIUM: ORANGE, Risk.HIGH: VERMILION}
RISK_LETTER: dict[Risk, str] = {Risk.LOW: "L", Risk.MEDIUM: "M", Risk.HIGH: "H"}
ROLE_LETTERS: dict[Role, str] = {
    Role.VOLUNTEER: "VO",
    Role.FULL_TIME: "FT",
    Role.DUTY_OFFICER: "DO",
    Role.THERAPIST: "TH",
}


def tint(colour: Colour, share: float) -> Colour:
    """A colour mixed with white; `share` of it is left."""
    red, green, blue = (round(share * channel + (1 - share) * 255) for channel in colour)
    return red, green, blue
