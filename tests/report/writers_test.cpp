#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <limits>

#include "core/csv.h"
#include "report/csv_writer.h"
#include "report/json_writer.h"
#include "report/palette.h"
#include "report/text.h"

namespace mien::report {
namespace {

TEST(Text, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(to_valid_utf8("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(to_valid_utf8("\xF0\x9F\x98\x80"), "\xF0\x9F\x98\x80");
  EXPECT_EQ(to_valid_utf8("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(to_valid_utf8("\xC3"), "\xEF\xBF\xBD");                          // cut off
  EXPECT_EQ(to_valid_utf8("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");          // overlong
  EXPECT_EQ(to_valid_utf8("\xED\xA0\x80").find("\xED"), std::string::npos);  // surrogate
  EXPECT_EQ(to_valid_utf8("\xF5\x80\x80\x80").find('\xF5'), std::string::npos);
}

TEST(Text, EscapesXml) {
  EXPECT_EQ(escape_xml("<a href='x'>&\"\x01"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;\xEF\xBF\xBD");
}

TEST(Text, QuotesJson) {
  EXPECT_EQ(quote_json("a\"b\\c\n\x01\x7F"), "\"a\\\"b\\\\c\\n\\u0001\\u007f\"");
  EXPECT_EQ(quote_json("\xFF"), "\"\xEF\xBF\xBD\"");
}

TEST(Text, NumbersHaveOneSpelling) {
  EXPECT_EQ(fixed(1.0 / 3, 4), "0.3333");
  EXPECT_EQ(fixed(-0.0001, 2), "0.00");
  EXPECT_EQ(fixed(-0.01, 2), "-0.01");
  EXPECT_EQ(fixed(std::nan(""), 2), "");
  EXPECT_EQ(fixed(-std::numeric_limits<double>::infinity(), 2), "");
  EXPECT_EQ(compact(1.50, 3), "1.5");
  EXPECT_EQ(compact(20.0, 3), "20");
  EXPECT_EQ(compact(-0.0, 3), "0");
  EXPECT_EQ(fixed(std::numeric_limits<double>::max(), 1).size(), 311U);
  if (std::setlocale(LC_NUMERIC, "de_DE.UTF-8") != nullptr) {
    EXPECT_EQ(fixed(1.5, 1), "1.5");
    std::setlocale(LC_NUMERIC, "C");
  }
}

TEST(Csv, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(csv_field("plain"), "plain");
  EXPECT_EQ(csv_field(""), "");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(csv_field(" padded"), "\" padded\"");
  EXPECT_EQ(csv_field("=1+1"), "=1+1");
}

TEST(Csv, RowsAndBack) {
  const std::string line =
      CsvRow().text("a,\"b\"").integer(-3).number(0.25, 3).number(NAN, 3).text("").line();
  EXPECT_EQ(line, "\"a,\"\"b\"\"\",-3,0.250,,\n");
  const auto back = core::parse_csv(csv_header({"a", "b", "c", "d", "e"}) + line, "t").value();
  ASSERT_EQ(back.rows.size(), 1U);
  EXPECT_EQ(back.rows[0].fields, (std::vector<std::string>{"a,\"b\"", "-3", "0.250", "", ""}));
  EXPECT_EQ(csv_header({"track", "x y"}), "track,x y\n");
}

TEST(Json, WritesADocumentInPieces) {
  JsonWriter json;
  json.begin_object().key("name").string("a").key("rows").begin_array();
  std::string text = json.take();
  for (int i = 0; i < 2; ++i) {
    json.begin_object(JsonWriter::Layout::kInline).key("i").integer(i).key("p");
    json.begin_array().number(0.5, 4).number(NAN, 4).end_array().end_object();
    text += json.take();
  }
  json.end_array().key("none").begin_array().end_array();
  json.key("flags").begin_array(JsonWriter::Layout::kInline).boolean(true).null().end_array();
  text += json.end_object().take();
  EXPECT_EQ(text,
            "{\n"
            "  \"name\": \"a\",\n"
            "  \"rows\": [\n"
            "    {\"i\": 0, \"p\": [0.5, null]},\n"
            "    {\"i\": 1, \"p\": [0.5, null]}\n"
            "  ],\n"
            "  \"none\": [],\n"
            "  \"flags\": [true, null]\n"
            "}\n");
}

TEST(Palette, FollowsTheNameNotTheOrder) {
  const auto a = class_colors({"neutral", "happiness", "anger"});
  const auto b = class_colors({"Angry", "Happy", "Neutral"});
  EXPECT_EQ(a[0], b[2]);
  EXPECT_EQ(a[1], b[1]);
  EXPECT_EQ(a[2], b[0]);
}

TEST(Palette, UnknownClassesGetColoursOfTheirOwn) {
  const auto colors = class_colors({"happiness", "c1", "c2", "c3"});
  for (std::size_t i = 0; i < colors.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(colors[i], colors[j]) << i << " " << j;
  }
  EXPECT_EQ(class_colors(std::vector<std::string>(40, "x")).size(), 40U);
  EXPECT_EQ(hex_color({230, 159, 0}), "#e69f00");
  EXPECT_TRUE(is_light({240, 228, 66}));
  EXPECT_FALSE(is_light({0, 114, 178}));
}

}  // namespace
}  // namespace mien::report
