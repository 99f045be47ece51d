// Comma-separated text from outside: what is read, what is refused, and where errors say it stands.
#include "core/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/files.h"
#include "core/temp_folder.h"

namespace mien::core {
namespace {

using ::mien::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The error of reading `text`; "" when it is read.
std::string fault_of(std::string_view text) {
  const auto table = parse_csv(text, "t.csv");
  return table.ok() ? std::string() : table.error().to_string();
}

TEST(Csv, QuotesLineEndsAndByteOrderMark) {
  const CsvTable table = parse_csv(
                             "\xEF\xBB\xBF"
                             "a,\"b\nc\",\"\"\"\"\r\n\r\n"
                             "\"x, \"\"y\"\"\",,\" z \"\r\n\n"
                             "1,5\" tall,3",
                             "t")
                             .value();
  EXPECT_THAT(table.header.names(), ElementsAre("a", "b\nc", "\""));
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_THAT(table.rows[0].fields, ElementsAre("x, \"y\"", "", " z "));
  EXPECT_THAT(table.rows[1].fields, ElementsAre("1", "5\" tall", "3"));
  EXPECT_EQ(table.rows[0].line, 4U);
  EXPECT_EQ(table.rows[1].line, 6U);
  EXPECT_EQ(table.rows[1][2], "3");
}

TEST(Csv, BlankLinesAreNoRows) {
  const CsvTable table = parse_csv("\nname\n\"\"\n\n \n\r\nx\r", "t").value();
  EXPECT_THAT(table.header.names(), ElementsAre("name"));
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[0][0], "");  // quoted: a row with nothing in it
  EXPECT_EQ(table.rows[1][0], " ");
  EXPECT_EQ(table.rows[2][0], "x");
  EXPECT_EQ(table.rows[2].line, 7U);
  EXPECT_TRUE(parse_csv("a,b\n", "t").value().rows.empty());
}

TEST(Csv, BytesAreKeptAsTheyAre) {
  const std::string text("a\nx\ry\n\xFF\xC4\n\"p\0q\"\n", 15);
  const CsvTable table = parse_csv(text, "t").value();
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[0][0], "x\ry");
  EXPECT_EQ(table.rows[1][0], "\xFF\xC4");
  EXPECT_EQ(table.rows[2][0], std::string("p\0q", 3));
}

TEST(Csv, ErrorsSayWhere) {
  EXPECT_EQ(fault_of("a,b\n1\n"), "t.csv: line 2: 1 field, the header has 2");
  EXPECT_EQ(fault_of("a,b\n1,2\n\n1,2,3\n"), "t.csv: line 4: 3 fields, the header has 2");
  EXPECT_EQ(fault_of("a,b\n\n1,\"open\nend\n"), "t.csv: line 3, column 'b': open quote");
  EXPECT_EQ(fault_of("a,b\n1,2,\"3\n"), "t.csv: line 2, column 3: open quote");
  EXPECT_EQ(fault_of(",b\n\"x\n"), "t.csv: line 2, column 1: open quote");
  EXPECT_EQ(fault_of("a,\"b\n"), "t.csv: line 1, column 2: open quote");
  EXPECT_EQ(fault_of("a,b\n\"1\"x,2\n"), "t.csv: line 2, column 'a': text behind a closing quote");
  EXPECT_EQ(fault_of("a,b\n\"1\n2\" ,3\n"),
            "t.csv: line 3, column 'a': text behind a closing quote");
  for (const char* nothing : {"", "\n", "\r\n\n", "\xEF\xBB\xBF"}) {
    EXPECT_EQ(fault_of(nothing), "t.csv: is empty");
  }
  EXPECT_EQ(parse_csv("a\n\"", "t.csv").error().code, ErrorCode::kBadFormat);
  // Names of a hostile header neither fill the screen nor forge lines.
  const std::string hostile = fault_of("\"x\n" + std::string(5000, 'y') + "\"\n\"");
  EXPECT_LT(hostile.size(), 200U);
  EXPECT_EQ(hostile.find('\n'), std::string::npos);
}

TEST(Csv, ColumnsByName) {
  const CsvTable table = parse_csv("path,label,note,note\na,sad,,\n", "list.csv").value();
  const CsvHeader& header = table.header;
  EXPECT_EQ(header.source(), "list.csv");
  EXPECT_EQ(header.size(), 4U);
  EXPECT_TRUE(header.has("label"));
  EXPECT_FALSE(header.has("Label"));
  EXPECT_EQ(header.column("label").value(), 1U);
  const auto absent = header.column("group");
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().code, ErrorCode::kBadFormat);
  EXPECT_EQ(absent.error().to_string(), "list.csv: has no column 'group'");
  EXPECT_EQ(header.column("note").error().to_string(), "list.csv: column 'note' appears twice");
  const CsvRecord& row = table.rows.at(0);
  EXPECT_EQ(header.error(row, "is odd").to_string(), "list.csv: line 2: is odd");
  EXPECT_EQ(header.error(row, 1, "is odd").to_string(), "list.csv: line 2, column 'label': is odd");
  EXPECT_EQ(header.error(row, 9, "is odd").to_string(), "list.csv: line 2, column 10: is odd");
  EXPECT_EQ(header.error(row, "is odd").code, ErrorCode::kBadFormat);
}

TEST(CsvReader, GivesRowAfterRow) {
  auto reader = CsvReader::open("a,b\n1,2\n3\n5,6\n", "t.csv");
  ASSERT_TRUE(reader.ok()) << reader.error().to_string();
  EXPECT_THAT(reader->header().names(), ElementsAre("a", "b"));
  CsvRecord row;
  ASSERT_TRUE(reader->next(row).value());
  EXPECT_THAT(row.fields, ElementsAre("1", "2"));
  EXPECT_EQ(row.line, 2U);
  EXPECT_THAT(reader->next(row).error().to_string(), HasSubstr("line 3"));
  ASSERT_TRUE(reader->next(row).value());
  EXPECT_THAT(row.fields, ElementsAre("5", "6"));
  EXPECT_FALSE(reader->next(row).value());
  EXPECT_THAT(row.fields, IsEmpty());
  EXPECT_FALSE(reader->next(row).value());
}

TEST(CsvReader, HasALimitOfColumns) {
  const auto most = CsvReader::open(std::string(kMaxCsvColumns - 1, ','), "t.csv");
  ASSERT_TRUE(most.ok()) << most.error().to_string();
  EXPECT_EQ(most->header().size(), kMaxCsvColumns);
  const auto wide = CsvReader::open(std::string(kMaxCsvColumns, ','), "t.csv");
  ASSERT_FALSE(wide.ok());
  EXPECT_EQ(wide.error().code, ErrorCode::kLimit);
  const auto row = parse_csv("a\n" + std::string(kMaxCsvColumns, ','), "t.csv");
  ASSERT_FALSE(row.ok());
  EXPECT_EQ(row.error().code, ErrorCode::kLimit);
  EXPECT_THAT(row.error().to_string(), HasSubstr("t.csv: line 2: more than"));
}

TEST(ReadCsv, FilesUpToALimit) {
  const TempFolder folder;
  const std::string path = folder.file("t.csv");
  ASSERT_TRUE(write_file_atomically(path, std::string("a,b\n1,2\n")).ok());
  const auto table = read_csv(path);
  ASSERT_TRUE(table.ok()) << table.error().to_string();
  EXPECT_EQ(table->header.source(), path);
  EXPECT_EQ(table->rows.size(), 1U);
  EXPECT_TRUE(read_csv(path, 8).ok());
  EXPECT_EQ(read_csv(path, 7).error().code, ErrorCode::kLimit);
  EXPECT_EQ(read_csv(path, 7).error().context, path);
  EXPECT_EQ(read_csv(folder.file("none.csv")).error().code, ErrorCode::kNotFound);
}

TEST(CsvFields, NumbersAreWholeFields) {
  EXPECT_EQ(number_in("-1.5e3"), -1500.0);
  EXPECT_TRUE(std::isnan(number_in("nan").value_or(0.0)));
  for (const char* text : {"", "1 ", " 1", "0,5", "+1", "1x", "1e400"}) {
    EXPECT_FALSE(number_in(text).has_value()) << text;
    EXPECT_FALSE(finite_in(text).has_value()) << text;
    EXPECT_FALSE(float_in(text).has_value()) << text;
    EXPECT_FALSE(integer_in(text, -100, 100).has_value()) << text;
  }
  EXPECT_EQ(finite_in("-2.5"), -2.5);
  EXPECT_FALSE(finite_in("nan").has_value());
  EXPECT_FALSE(finite_in("-inf").has_value());
  EXPECT_EQ(float_in("0.1"), 0.1F);
  EXPECT_EQ(integer_in("12", 0, 12), 12);
  EXPECT_EQ(integer_in("-3", -3, 12), -3);
  EXPECT_FALSE(integer_in("13", 0, 12).has_value());
  EXPECT_FALSE(integer_in("-1", 0, 12).has_value());
  EXPECT_FALSE(integer_in("1.0", 0, 12).has_value());
  EXPECT_FALSE(integer_in("99999999999999999999", 0, 12).has_value());
}

TEST(CsvFields, ShortInErrors) {
  EXPECT_EQ(in_quotes("a"), "'a'");
  EXPECT_EQ(in_quotes(std::string(60, 'a')), "'" + std::string(60, 'a') + "'");
  EXPECT_EQ(in_quotes(std::string(61, 'a')), "'" + std::string(60, 'a') + "...'");
}

}  // namespace
}  // namespace mien::core
