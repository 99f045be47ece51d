// Dependencies point one way only: every #include of src/ and include/mien/ against the table.
#include <gtest/gtest.h>

#include <filesystem>

#include "house/include_rules.h"
#include "house/source_tree.h"

namespace mien::house {
namespace {

TEST(IncludeDirection, EveryFileKeepsToTheTable) {
  std::size_t seen = 0;
  for (const char* folder : {"src", "include"}) {
    for (const auto& file : files_below(folder, {".h", ".hpp", ".cpp", ".cc", ".inc", ".c"})) {
      ++seen;
      for (const auto& fault : include_faults(file, read_text(source_root() / file))) {
        ADD_FAILURE() << fault;
      }
    }
  }
  EXPECT_GT(seen, 20U) << "the scan found hardly any file: is it looking in the right place?";
}

TEST(IncludeDirection, EveryFolderOfSrcIsInTheTable) {
  for (const auto& entry : std::filesystem::directory_iterator(source_root() / "src")) {
    EXPECT_TRUE(entry.is_directory() && allowed_includes().count(entry.path().filename()) == 1)
        << entry.path();
  }
}

TEST(IncludeDirection, TheTableHasNoCycle) {
  for (const auto& [folder, others] : allowed_includes()) {
    for (const auto& other : others) {
      EXPECT_EQ(allowed_includes().at(other).count(folder), 0U) << folder << " and " << other;
    }
  }
}

TEST(IncludeDirection, FindsPlantedViolations) {
  const auto count = [](const std::string& path, const std::string& text) {
    return include_faults(path, text).size();
  };
  EXPECT_EQ(count("src/engine/a.cpp", "#include \"core/tensor.h\"\n#include <dnnl.hpp>\n"), 0U);
  EXPECT_EQ(count("src/engine/a.cpp", "#include \"learn/trainer.h\"\n"), 1U);
  EXPECT_EQ(count("src/engine/a.cpp", "  #  include <media/frame.h>\n"), 1U);
  EXPECT_EQ(count("src/core/a.h", "#include \"report/csv.h\"\n#include \"media/b.h\"\n"), 2U);
  EXPECT_EQ(count("src/media/a.h", "#include \"mien/analyzer.hpp\"\n"), 1U);
  EXPECT_EQ(count("src/cli/a.cpp", "#include \"mien/analyzer.hpp\"\n"), 0U);
  EXPECT_EQ(count("src/cli/a.cpp", "#include \"mien/secret.hpp\"\n"), 1U);
  EXPECT_EQ(count("src/cli/a.cpp", "#include \"../core/tensor.h\"\n"), 1U);
  EXPECT_EQ(count("src/cli/a.cpp", "#include \"terminal.h\"\n"), 1U);
  EXPECT_EQ(count("src/core/a.cpp", "// #include \"learn/x.h\"\n/*\n#include \"cli/x.h\"\n*/\n"),
            0U);
  EXPECT_EQ(count("src/widgets/a.cpp", "int x;\n"), 1U);
  EXPECT_EQ(count("include/mien/other.hpp", "int x;\n"), 1U);
  EXPECT_EQ(count("include/mien/result.hpp", "#include \"core/tensor.h\"\n"), 1U);
  EXPECT_EQ(count("include/mien/recognizer.hpp", "#include <dnnl.hpp>\n#include <vector>\n"), 1U);
}

}  // namespace
}  // namespace mien::house
