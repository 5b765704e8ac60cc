"""The words of mathematics: what LaTeX commands and plain names stand for. Data alone."""

from __future__ import annotations


def _words(text: str) -> list[str]:
    return text.split()


RELATIONS = {
    **{"=": "=", "==": "=", ":=": "=", "<": "<", ">": ">", "<=": "<=", "=<": "<=", ">=": ">=", "!=": "!=", "~=": "~"},
    **{
        "=>": "->",
        "->": "->",
        "eq": "=",
        "lt": "<",
        "gt": ">",
        "le": "<=",
        "leq": "<=",
        "leqslant": "<=",
        "leqq": "<=",
    },
    **{"ge": ">=", "geq": ">=", "geqslant": ">=", "geqq": ">=", "ne": "!=", "neq": "!=", "approx": "~", "simeq": "~"},
    **{"approxeq": "~", "doteq": "~", "cong": "congruent", "equiv": "==", "sim": "sim", "in": "in", "notin": "notin"},
    **{"ni": "ni", "subset": "subset", "subseteq": "subseteq", "supset": "supset", "supseteq": "supseteq", "to": "->"},
    **{"rightarrow": "->", "longrightarrow": "->", "Rightarrow": "=>", "implies": "=>", "iff": "<=>", "mapsto": "->"},
    **{"Leftrightarrow": "<=>", "perp": "perp", "parallel": "parallel", "propto": "propto", "triangleq": "="},
    **{"coloneqq": "=", "ll": "<<", "gg": ">>"},
}
"""Relations by LaTeX command or sign, as `tree.Relation` names them."""

FUNCTIONS = {
    name: name
    for name in (
        *_words("sin cos tan cot sec csc sinh cosh tanh coth sech csch exp ln log lg gcd lcm max min det"),
        *_words("arcsin arccos arctan arccot arcsec arccsc arsinh arcosh artanh floor ceil abs sqrt cbrt"),
        *_words("sup inf mod deg arg Re Im round sign factorial"),
    )
} | {
    **{"tg": "tan", "ctg": "cot", "cosec": "csc", "sh": "sinh", "ch": "cosh", "th": "tanh", "asin": "arcsin"},
    **{"acos": "arccos", "atan": "arctan", "arctg": "arctan", "arcctg": "arccot", "sgn": "sign", "ceiling": "ceil"},
    **{"arcsinh": "arsinh", "arccosh": "arcosh", "arctanh": "artanh", "asinh": "arsinh", "acosh": "arcosh"},
    **{"atanh": "artanh", "GCD": "gcd", "LCM": "lcm", "operatorname": "", "binomial": "binomial", "lb": "lb"},
}
del FUNCTIONS["operatorname"], FUNCTIONS["th"], FUNCTIONS["ch"], FUNCTIONS["sh"], FUNCTIONS["deg"], FUNCTIONS["lb"]

NAMES = {
    **{
        "pi": "pi",
        "infty": "infinity",
        "infinity": "infinity",
        "inf": "infinity",
        "emptyset": "empty",
        "oo": "infinity",
    },
    **{"varnothing": "empty", "ldots": "ellipsis", "cdots": "ellipsis", "dots": "ellipsis", "dotsc": "ellipsis"},
    **{"dotsb": "ellipsis", "dotsi": "ellipsis", "vdots": "ellipsis", "imath": "i"},
}
"""Constants by command or by word."""

GREEK = {
    name: name
    for name in (
        *_words("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau"),
        *_words("upsilon phi chi"),
        *_words("psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell hbar aleph nabla"),
        *_words("partial"),
    )
} | {"varphi": "phi", "varepsilon": "epsilon", "vartheta": "theta", "varrho": "rho", "varsigma": "sigma"}

SKIPPED = frozenset(
    (
        *("tiny", "small", "normalsize", "large", "Large", "LARGE", "huge", "Huge"),
        *_words("left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm middle"),
        *_words("displaystyle"),
        *_words("mathop mathbin mathrel mathopen mathclose hfill hline noindent par allowbreak nonumber"),
        *_words("notag strut"),
        *_words("bf rm it sf tt em scriptstyle textstyle limits nolimits centering vphantom smash"),
        *_words("mathstrut"),
    )
)
"""Commands that say how a formula looks and nothing else."""

SEPARATORS = {"and": "and", "or": "or", "also": "and", "y": "and", "und": "and", "oder": "or"}
del SEPARATORS["y"]

UPRIGHT = {"e": ("letter", "e"), "i": ("letter", "i"), "d": ("letter", "d"), "∞": ("name", "infinity")}
"""What is a constant or a letter even when it is set upright."""

SHORT_WORDS = frozenset(
    (
        *_words("is are as at be by do for if in it no not of on per so the to all any but few yes off"),
        *_words("odd mod out its"),
        *_words("cm mm km kg mg ml ft mi lb lbs oz hr hrs min sec nm mph kph kmh rpm pm am dm pts mol yd"),
        *_words("usd rmb"),
        *_words("day ton one two six ten cat dog man men way let has had was can she her his him you we"),
        *_words("our"),
    )
)
"""Words of two or three letters; other short runs of letters are products of variables."""

REASONS = frozenset(("because", "since"))
"""Words that open a reason, which leaves the answer what it is."""

CONDITIONS = frozenset(
    (
        *_words("for where with if when whenever unless provided except while such given as that which at by from"),
        *_words("using modulo assuming is are was were"),
    )
)
"""Words that open what may be a condition, and then belongs to the answer."""

DOMAIN_WORDS = frozenset(
    (
        *_words("all any some every each an a is are be arbitrary integer integers real reals positive negative"),
        *_words("nonnegative non-negative natural rational complex number numbers constant constants value values of"),
    )
)
"""Words of a remark that only says what parameters run through."""

FILLERS = frozenset(_words("is are equals exactly about approximately approx only roughly around just either both"))
"""Words before a value that leave it what it is."""

PHRASES = {
    "infinitely many": "infinity",
    "infinite": "infinity",
    "infinite number": "infinity",
    "infinitely many solutions": "infinity",
    "infinite solutions": "infinity",
    "no solution": "empty",
    "no solutions": "empty",
    "no real solution": "empty",
    "no real solutions": "empty",
    "none": "empty",
    "empty set": "empty",
    "no such": "empty",
    "no roots": "empty",
    "no real roots": "empty",
    "real numbers": "reals",
    "all real numbers": "reals",
    "all reals": "reals",
    "all integers": "integers",
    "all positive integers": "naturals",
    "positive integers": "naturals",
    "all natural numbers": "naturals",
    "all rational numbers": "rationals",
    "all complex numbers": "complexes",
    "undefined": "undefined",
    "does not exist": "undefined",
    "not defined": "undefined",
    "dne": "undefined",
    "the limit does not exist": "undefined",
    "limit does not exist": "undefined",
}
"""Sentences that name a constant."""

NUMBER_SETS = {"R": "reals", "Z": "integers", "N": "naturals", "Q": "rationals", "C": "complexes"}
