"""Arrivals of Open Up, a 24-hour text service in Hong Kong, in November 2020: figures derived from its log.

Source: 9,173 visitors in the 30 days from Sunday 1 November 2020 00:00, from the gaps published with Chiang et al.
(2024); measured as in `figures.measure_arrivals`. Visitors are all who arrive, before the terms of service. The log
itself is not shipped.
"""

OPEN_UP_VISITORS_PER_HOUR: tuple[float, ...] = (
    *(17.033, 15.167, 10.233, 7.767, 4.567, 3.400),  # 00:00 to 06:00
    *(4.300, 6.633, 7.200, 7.467, 10.400, 11.267),  # 06:00 to 12:00
    *(12.133, 12.067, 13.567, 13.667, 14.100, 15.100),  # 12:00 to 18:00
    *(15.133, 14.633, 19.400, 21.900, 23.933, 24.700),  # 18:00 to 24:00
)
"""Mean visitors in each hour of the day over the 30 days, to three decimals; 305.8 a day."""

OPEN_UP_HOURLY_DISPERSION = 1.761
"""Variance / mean of hourly counts, pooled: Σ variance / Σ mean over the 24 hours of the day (a Poisson law has 1)."""

OPEN_UP_DAILY_DISPERSION = 4.026
"""Variance / mean of the 30 daily counts (a Poisson law has 1)."""

OPEN_UP_HAWKES_BRANCHING = 0.1792
"""Offspring of an arrival in the self-exciting law of greatest likelihood, with the hourly rates above as its mean."""

OPEN_UP_HAWKES_DELAY = 2.931
"""Mean minutes from an arrival to an offspring in that law."""
