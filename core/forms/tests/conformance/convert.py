"""Converts XLSForms with pyxform, for a test: file names as arguments, JSON {name: {xform} or {error}} out."""

import json
import sys
import warnings

from pyxform.xls2xform import convert

warnings.simplefilter("ignore")
results = {}
for name in sys.argv[1:]:
    try:
        results[name] = {"xform": convert(name).xform}
    except Exception as error:  # Whatever it refuses a form with is its answer.
        results[name] = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
json.dump(results, sys.stdout)
