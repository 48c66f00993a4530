"""The mark for tests that need an optional library."""

from __future__ import annotations

import pytest

from tests.tools.optional import needs

pytest_plugins = ["pytester"]


def test_a_test_whose_library_is_missing_is_skipped_with_the_command_that_mends_it(pytester):
    pytester.makepyfile(
        """
        from tests.tools.optional import needs

        @needs("json", "no_such_library", extra="compare")
        def test_missing():
            raise AssertionError("it ran")

        @needs("json", "xml.etree", extra="compare")
        def test_present():
            pass

        @needs("json", extra="compare")
        def test_present_and_wrong():
            raise AssertionError("it ran")
        """
    )
    done = pytester.runpytest_inprocess("-rs", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=1, failed=1, skipped=1)
    done.stdout.fnmatch_lines(['SKIPPED*: no_such_library not installed: pip install -e ".[[]compare]"'])


@pytest.mark.parametrize(("modules", "extra"), [(["json"], "compares"), ([], "compare")])
def test_an_extra_that_does_not_exist_is_refused(modules, extra):
    with pytest.raises(ValueError, match="compare, lab, llamacpp, test"):
        needs(*modules, extra=extra)
