#!/usr/bin/env python3
"""Every rule of tidy.py goes red on a violation, stays green beside it, and can be excused."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import tidy  # noqa: E402

LAYERS = """
# a comment
base:
core: base
net: base
runtime: core net base
store: base
tests/: *
tools/skaldctl/: net base
"""
HEADER = "// What lives here.\n#pragma once\n"


def rules(files):
    """The rules that `files` break, beside a repository that breaks none."""
    repository = {tidy.LAYERS: LAYERS, "engine/base/ids.h": HEADER, "engine/net/http.h": HEADER}
    return sorted({rule for _, _, rule, _ in tidy.Tidy(repository | files).run()})


class Layering(unittest.TestCase):
    def test_a_lower_room_may_be_included(self):
        self.assertEqual(rules({"engine/core/a.cc": '#include "engine/base/ids.h"\n'}), [])

    def test_another_room_may_not(self):
        self.assertEqual(rules({"engine/base/a.cc": '#include "engine/net/http.h"\n'}), ["layers"])

    def test_rooms_outside_the_engine_have_their_lines_too(self):
        files = {"engine/core/x.h": HEADER,
                 "tools/skaldctl/a.cc": '#include "engine/core/x.h"\n'}
        self.assertEqual(rules(files), ["layers"])

    def test_tests_may_include_everything(self):
        self.assertEqual(rules({"tests/unit/a/a_test.cc": '#include "engine/net/http.h"\n'}), [])

    def test_a_cycle_is_found(self):
        self.assertEqual(rules({tidy.LAYERS: "a: b\nb: c\nc: a\n"}), ["layers"])

    def test_an_unknown_room_is_found(self):
        self.assertEqual(rules({tidy.LAYERS: "a: b\n"}), ["layers"])

    def test_a_header_of_ours_must_exist(self):
        self.assertEqual(rules({"engine/core/a.cc": '#include "engine/base/no.h"\n'}), ["include"])

    def test_outside_libraries_have_their_rooms(self):
        for line, path in [("#include <spdlog/spdlog.h>", "engine/runtime/a.cc"),
                           ("#include <rocksdb/db.h>", "engine/runtime/a.cc"),
                           ("#include <boost/beast.hpp>", "engine/runtime/a.cc"),
                           ("#include <google/protobuf/message.h>", "engine/store/a.cc")]:
            with self.subTest(line):
                self.assertEqual(rules({path: line + "\n"}), ["external"])
        self.assertEqual(rules({"engine/store/a.cc": "#include <rocksdb/db.h>\n"}), [])


class Purity(unittest.TestCase):
    def test_core_and_shard_include_no_world(self):
        for header in ["thread", "mutex", "random", "iostream", "fstream", "atomic"]:
            for room in ["core", "shard"]:
                with self.subTest(header=header, room=room):
                    path = f"engine/{room}/a.cc"
                    self.assertEqual(rules({path: f"#include <{header}>\n"}), ["pure"])
        self.assertIn("pure", rules({"engine/core/a.cc": "#include <boost/asio/post.hpp>\n"}))
        self.assertIn("pure", rules({"engine/core/a.cc": '#include "skald/v1/service.pb.h"\n'}))

    def test_core_and_shard_do_not_wait_or_look_at_the_clock(self):
        for line in ["co_await x;", "auto t = Foo::now();", "std::chrono::system_clock c;",
                     "} catch (...) {"]:
            with self.subTest(line):
                self.assertEqual(rules({"engine/shard/a.cc": line + "\n"}), ["pure"])

    def test_a_comment_may_name_what_the_code_may_not(self):
        self.assertEqual(rules({"engine/core/a.cc": "int a;  // never co_await here\n"}), [])

    def test_other_rooms_may(self):
        self.assertEqual(rules({"engine/runtime/a.cc": "#include <thread>\nco_await x;\n"}), [])


class Files(unittest.TestCase):
    def test_a_header_says_pragma_once_and_what_it_is(self):
        self.assertEqual(rules({"engine/core/a.h": "// What.\nint a;\n"}), ["pragma-once"])
        self.assertEqual(rules({"engine/core/a.h": "#pragma once\n"}), ["header-comment"])

    def test_a_source_file_includes_its_own_header_first(self):
        files = {"engine/core/a.h": HEADER}
        self.assertEqual(rules(files | {"engine/core/a.cc": '#include "engine/core/a.h"\n'}), [])
        self.assertEqual(rules(files | {"engine/core/a.cc": "#include <string>\n"}), ["own-header"])

    def test_500_lines_are_enough(self):
        self.assertEqual(rules({"engine/core/a.cc": "int a;\n" * 500}), [])
        self.assertEqual(rules({"engine/core/a.cc": "int a;\n" * 501}), ["file-size"])

    def test_100_columns_are_enough(self):
        self.assertEqual(rules({"tools/a.py": "#" * 100 + "\n"}), [])
        self.assertEqual(rules({"tools/a.py": "#" * 101 + "\n"}), ["line-length"])
        self.assertEqual(rules({"tools/x": "#!/bin/sh\n" + "#" * 101 + "\n"}), ["line-length"])
        self.assertEqual(rules({"tests/golden/a.json": "#" * 101 + "\n"}), [])

    def test_names_that_say_nothing(self):
        for name in ["util.cc", "helper.cc", "manager.cc", "common.cc", "misc.cc", "impl.cc"]:
            with self.subTest(name):
                self.assertEqual(rules({f"engine/core/{name}": "int a;\n"}), ["file-name"])

    def test_leftovers(self):
        for word in ["TO" + "DO", "FIX" + "ME"]:
            self.assertEqual(rules({"engine/core/a.cc": f"// {word}: later\n"}), ["leftover"])

    def test_paths_of_one_machine(self):
        for path in ["/wo" + "rk/main", "/ro" + "ot/.cache"]:
            self.assertEqual(rules({"README.md": f"see {path}\n"}), ["machine-path"])
        self.assertEqual(rules({"README.md": "see net/wo" + "rk/x\n"}), [])

    def test_stored_and_api_messages_are_apart(self):
        self.assertEqual(rules({"proto/skald/v1/a.proto": 'import "stored/v1/s.proto";\n'}),
                         ["stored-api"])
        self.assertEqual(rules({"proto/stored/v1/a.proto": 'import "skald/v1/s.proto";\n'}),
                         ["stored-api"])
        self.assertEqual(rules({"proto/stored/v1/a.proto": 'import "stored/v1/s.proto";\n'}), [])


class Code(unittest.TestCase):
    def test_nothing_is_detached(self):
        for line in ["co_spawn(io, f(), asio::detached);", "thread.detach();"]:
            self.assertEqual(rules({"engine/runtime/a.cc": line + "\n"}), ["detached"])

    def test_a_capturing_lambda_is_no_coroutine(self):
        self.assertEqual(rules({"engine/runtime/a.cc": "auto f = [this](int a) -> "
                                "asio::awaitable<void> { co_return; };\n"}), ["coroutine-lambda"])
        self.assertEqual(rules({"engine/runtime/a.cc": "auto f = [](int a) -> "
                                "asio::awaitable<void> { co_return; };\n"}), [])

    def test_product_code_has_no_door_for_tests(self):
        self.assertEqual(rules({"engine/core/a.cc": "void reset_for_test();\n"}), ["test-hook"])


class Tests(unittest.TestCase):
    def test_sleeps(self):
        for path, line in [("tests/unit/a/a_test.cc", "std::this_thread::sleep_for(1ms);"),
                           ("tests/integration/a.py", "time.sleep(1)"),
                           ("tests/integration/a.sh", "start & sleep 1"),
                           ("tests/a.cc", "sleep(1);")]:
            with self.subTest(line):
                self.assertEqual(rules({path: line + "\n"}), ["sleep"])
        self.assertEqual(rules({"tests/a.cc": "// no sleep_for here\n"}), [])

    def test_gtest_names(self):
        for line in ["TEST(a_b, C) {", "TEST_F(A, b_c) {"]:
            self.assertEqual(rules({"tests/a_test.cc": line + "\n"}), ["test-name"])
        self.assertEqual(rules({"tests/a_test.cc": "TEST_F(Abc, Def) {\n"}), [])

    def test_switched_off(self):
        self.assertEqual(rules({"tests/a_test.cc": "TEST(A, DISABLED_B) {\n"}), ["test-off"])
        self.assertEqual(rules({"tests/a_test.cc": "GTEST_SKIP();\n"}), ["test-off"])


class Readmes(unittest.TestCase):
    def test_named_paths_exist(self):
        self.assertEqual(rules({"engine/base/README.md": "`ids.h` `engine/net` `base/*.h`\n"}), [])
        self.assertEqual(rules({"engine/base/README.md": "`no.h`\n"}), ["readme-path"])
        self.assertEqual(rules({"README.md": "run `tools/y now`\n"}), ["readme-path"])

    def test_what_is_no_path_is_left_alone(self):
        text = "`application/json` `a.b/C` `build/release/x.h` `--check` `/healthz` `s.pb.h`\n"
        self.assertEqual(rules({"README.md": text}), [])

    def test_code_blocks_are_left_alone(self):
        self.assertEqual(rules({"README.md": "```\n`no.h`\n```\n"}), [])

    def test_60_lines_are_enough_below_the_root(self):
        self.assertEqual(rules({"engine/base/README.md": "a\n" * 61}), ["readme-size"])
        self.assertEqual(rules({"README.md": "a\n" * 61}), [])


class Excuses(unittest.TestCase):
    def test_a_reason_excuses_its_rule_on_its_line_and_the_next(self):
        bad = "thread.detach();"
        for text in [f"{bad}  // tidy: allow(detached) why\n",
                     f"// tidy: allow(detached) why\n{bad}\n"]:
            self.assertEqual(rules({"engine/runtime/a.cc": text}), [])

    def test_no_reason_excuses_nothing(self):
        text = "thread.detach();  // tidy: allow(detached)\n"
        self.assertEqual(rules({"engine/runtime/a.cc": text}), ["detached"])

    def test_another_rule_is_not_excused(self):
        text = "thread.detach();  // tidy: allow(sleep) why\n"
        self.assertEqual(rules({"engine/runtime/a.cc": text}), ["detached"])

    def test_a_whole_file_is_excused_at_its_top(self):
        text = "// tidy: allow(file-size) one table\n" + "int a;\n" * 501
        self.assertEqual(rules({"engine/core/a.cc": text}), [])


if __name__ == "__main__":
    unittest.main()
