"""Interleaved rounds, and what they say: medians, ratios against Ringway, a verdict."""

import statistics

STEAL_PERCENT_MAX = 3.0
CLEAN_ROUNDS_MIN = 8
ROUNDS_FACTOR_MAX = 3

PASS, FAIL, UNSURE, NONE = "PASS", "FAIL", "UNSURE", "-"


def run(names, rounds, measure, progress):
    """Measures A B C A B C ..., adding rounds in place of those the hypervisor disturbed.

    Returns all rounds, each `{"steal_percent", "clean", "peers": {name: figures}}`.
    """
    wanted = min(CLEAN_ROUNDS_MIN, rounds)
    done = []

    def clean():
        return sum(one["clean"] for one in done)

    while len(done) < rounds or (clean() < wanted and len(done) < rounds * ROUNDS_FACTOR_MAX):
        figures = {name: measure(name) for name in names}
        steal = max(figure["steal_percent"] for figure in figures.values())
        done.append({"steal_percent": steal, "clean": steal <= STEAL_PERCENT_MAX, "peers": figures})
        progress(len(done), done[-1])
    return done


def summarise(profile, names, rounds, rounds_wanted):
    """Medians per peer, ratios against the first peer, and the verdict for every requirement."""
    clean = [one for one in rounds if one["clean"]]
    enough = len(clean) >= min(CLEAN_ROUNDS_MIN, rounds_wanted)
    used = clean or rounds
    base = "ringway" if "ringway" in names else names[0]
    medians, ratios = {}, {}
    for name in names:
        keys = used[0]["peers"][name].keys()
        medians[name] = {key: statistics.median(one["peers"][name][key] for one in used) for key in keys}
        if name != base:
            ratios[name] = {
                key: spread
                for key in keys & used[0]["peers"][base].keys()
                if (spread := _ratio_spread(used, name, base, key)) is not None
            }
    verdicts = [
        {
            "requirement": requirement.text(),
            **_judge(requirement, medians, ratios, used, enough, base),
            "floor": _floor(requirement, medians, used),
        }
        for requirement in profile.require
    ]
    return {
        "base": base,
        "rounds": len(rounds),
        "clean_rounds": len(clean),
        "enough_clean_rounds": enough,
        "medians": medians,
        "ratios": ratios,
        "verdicts": verdicts,
        "verdict": _worst(verdicts),
    }


def _ratio_spread(rounds, name, base, key):
    """Median and quartiles of the ratio within each round: what disturbs a round disturbs all in it."""
    return spread(
        [one["peers"][name][key] / one["peers"][base][key] for one in rounds if one["peers"][base][key] > 0]
    )


def _difference_spread(rounds, name, base, key):
    """The same of the difference."""
    return spread([one["peers"][name][key] - one["peers"][base][key] for one in rounds])


def spread(values):
    """Median and quartiles; `None` of nothing."""
    if not values:
        return None
    # Inclusive: the rounds at hand, not a guess at what more of them might have shown.
    quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    low, _middle, high = quartiles
    return {"median": statistics.median(values), "low": low, "high": high}


def _floor(requirement, medians, rounds):
    """What a server that does nothing at all would reach, where that was measured too."""
    if not {requirement.against, "floor"} <= medians.keys():
        return None
    spread = _ratio_spread(rounds, requirement.against, "floor", requirement.figure)
    return spread and spread["median"]


def _judge(requirement, medians, ratios, rounds, enough, base):
    named = {requirement.of, requirement.less, requirement.against} - {None}
    if base != "ringway" or named - medians.keys():
        return {"value": None, "verdict": NONE}
    spread = None
    if requirement.against:
        ratio = ratios[requirement.against].get(requirement.figure)
        value = ratio and ratio["median"]
        good = value is not None and value >= requirement.min_ratio
    else:
        if requirement.less:
            spread = _difference_spread(rounds, requirement.of, requirement.less, requirement.figure)
            value = spread and spread["median"]
        else:
            value = medians[requirement.of].get(requirement.figure)
        good = (
            value is not None
            and (requirement.min is None or value >= requirement.min)
            and (requirement.max is None or value <= requirement.max)
        )
    if not enough or value is None:
        return {"value": value, "verdict": UNSURE, "spread": spread}
    return {"value": value, "verdict": PASS if good else FAIL, "spread": spread}


def _worst(verdicts):
    for verdict in (FAIL, UNSURE, PASS):
        if any(one["verdict"] == verdict for one in verdicts):
            return verdict
    return NONE
