"""Reads JUnit reports as others do: junit.py SCHEMA REPORT... Prints what was read, fails at the first flaw."""

import sys

import junitparser
import xmlschema

# The schema is older than the attribute, which GitLab reads to link to the file.
with open(sys.argv[1], encoding="utf-8") as file:
    text = file.read()
name = '<xs:attribute name="classname" '
assert text.count(name) == 1
schema = xmlschema.XMLSchema(text.replace(name, '<xs:attribute name="file" type="xs:string"/>' + name))

for path in sys.argv[2:]:
    schema.validate(path)
    suites = junitparser.JUnitXml.fromfile(path)
    cases = [case for suite in suites for case in suite]
    failures = [case for case in cases if case.is_failure]
    skipped = [case for case in cases if case.is_skipped]
    assert suites.tests == len(cases), path
    assert suites.failures == len(failures), path
    assert [suite.skipped for suite in suites] == [len(skipped)], path
    # Viewers tell test cases apart by their class and name.
    assert len({(case.classname, case.name) for case in cases}) == len(cases), path
    print(len(cases), len(failures))
