#include "core/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace mien::core {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

LabelSet set_of(const char* name) {
  return find_label_set(name).value();
}

TEST(Labels, OfficialOrders) {
  EXPECT_THAT(set_of("dfew").classes, ElementsAre("happiness", "sadness", "neutral", "anger",
                                                  "surprise", "disgust", "fear"));
  EXPECT_THAT(set_of("ferv39k").classes, ElementsAre("anger", "disgust", "fear", "happiness",
                                                     "neutral", "sadness", "surprise"));
  EXPECT_THAT(set_of("mafw").classes,
              ElementsAre("anger", "anxiety", "contempt", "disappointment", "disgust", "fear",
                          "happiness", "helplessness", "neutral", "sadness", "surprise"));
  EXPECT_THAT(set_of("ferplus").classes, ElementsAre("neutral", "happiness", "surprise", "sadness",
                                                     "anger", "disgust", "fear", "contempt"));
  EXPECT_THAT(set_of("affectnet-8").classes,
              ElementsAre("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger",
                          "contempt"));
  EXPECT_THAT(set_of("affectnet-7").classes, ElementsAre("neutral", "happiness", "sadness",
                                                         "surprise", "fear", "disgust", "anger"));
  EXPECT_THAT(set_of("rafdb").classes, ElementsAre("surprise", "fear", "disgust", "happiness",
                                                   "sadness", "anger", "neutral"));
  EXPECT_EQ(set_of("rafdb").first_index, 1);
  EXPECT_THAT(set_of("ravdess").classes, ElementsAre("neutral", "calm", "happiness", "sadness",
                                                     "anger", "fear", "disgust", "surprise"));
  EXPECT_EQ(set_of("ravdess").first_index, 1);
  EXPECT_THAT(set_of("crema-d").classes,
              ElementsAre("anger", "disgust", "fear", "happiness", "neutral", "sadness"));
  EXPECT_EQ(set_of("crema-d").first_index, 0);
}

TEST(Labels, MaeDferCountsDifferently) {
  EXPECT_EQ(set_of("dfew-mae-dfer").classes, set_of("dfew").classes);
  EXPECT_EQ(set_of("ferv39k-mae-dfer").classes, set_of("dfew").classes);
  EXPECT_NE(set_of("ferv39k-mae-dfer").classes, set_of("ferv39k").classes);
  EXPECT_THAT(set_of("mafw-mae-dfer").classes,
              ElementsAre("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise",
                          "contempt", "anxiety", "helplessness", "disappointment"));
}

TEST(Labels, EverySetIsSound) {
  for (const std::string& name : label_set_names()) {
    const LabelSet set = set_of(name.c_str());
    EXPECT_EQ(set.name, name);
    EXPECT_EQ(std::set<std::string>(set.classes.begin(), set.classes.end()).size(), set.size());
    for (std::size_t i = 0; i < set.size(); ++i) {
      EXPECT_EQ(canonical_label(set.classes[i]), set.classes[i]) << name;
      EXPECT_EQ(set.index_of(set.classes[i]), i) << name;
    }
  }
}

TEST(Labels, NamesInOtherSpellings) {
  EXPECT_EQ(set_of("RAF-DB").name, "rafdb");
  EXPECT_EQ(set_of("AffectNet7").name, "affectnet-7");
  EXPECT_EQ(set_of("CREMA-D").name, "crema-d");
  EXPECT_EQ(set_of("CremaD").name, "crema-d");
  EXPECT_EQ(set_of("RAVDESS").name, "ravdess");
  EXPECT_EQ(set_of("ferv39k_mae_dfer").name, "ferv39k-mae-dfer");
  const auto unknown = find_label_set("ck+");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
  EXPECT_THAT(unknown.error().to_string(), HasSubstr("ferplus"));
}

TEST(Labels, Synonyms) {
  EXPECT_EQ(canonical_label("Happy"), "happiness");
  EXPECT_EQ(canonical_label(" ANGRY\r\n"), "anger");
  EXPECT_EQ(canonical_label("joy"), "happiness");
  EXPECT_EQ(canonical_label("Sad"), "sadness");
  EXPECT_EQ(canonical_label("bored"), std::nullopt);
  EXPECT_EQ(canonical_label(""), std::nullopt);
  EXPECT_EQ(label_or_itself("Bored "), "bored");
  EXPECT_EQ(set_of("dfew").index_of("Happy"), 0U);
  EXPECT_EQ(set_of("dfew").index_of("contempt"), std::nullopt);
}

TEST(Labels, OwnSets) {
  const LabelSet own = make_label_set("mine", {"Happy", "Bored"}).value();
  EXPECT_THAT(own.classes, ElementsAre("happiness", "bored"));
  EXPECT_EQ(own.index_of("BORED"), 1U);
  EXPECT_FALSE(make_label_set("mine", {}));
  EXPECT_FALSE(make_label_set("mine", {"happy", "joy"}));
  EXPECT_FALSE(make_label_set("mine", {"happy", " "}));
}

TEST(LabelMapping, FromFerplusToDfew) {
  const LabelMapping mapping = map_labels(set_of("ferplus"), set_of("dfew"));
  EXPECT_THAT(mapping.dropped, ElementsAre("contempt"));
  EXPECT_THAT(mapping.missing, IsEmpty());
  EXPECT_EQ(mapping.map_index(0), 2U);             // neutral
  EXPECT_EQ(mapping.map_index(7), std::nullopt);   // contempt
  EXPECT_EQ(mapping.map_index(99), std::nullopt);  // no class
  //                          neu   hap  sur  sad  ang  dis  fea  con
  const std::vector<float> p = {0.2F, 0.4F, 0.0F, 0.0F, 0.2F, 0.0F, 0.0F, 0.2F};
  const auto q = mapping.map_probabilities(p).value();
  ASSERT_EQ(q.size(), 7U);
  EXPECT_FLOAT_EQ(q[0], 0.5F);   // happiness
  EXPECT_FLOAT_EQ(q[2], 0.25F);  // neutral
  EXPECT_FLOAT_EQ(q[3], 0.25F);  // anger
  EXPECT_FLOAT_EQ(q[1] + q[4] + q[5] + q[6], 0.0F);
}

TEST(LabelMapping, ReportsWhatIsMissing) {
  const LabelMapping mapping = map_labels(set_of("dfew"), set_of("mafw"));
  EXPECT_THAT(mapping.dropped, IsEmpty());
  EXPECT_THAT(mapping.missing,
              ElementsAre("anxiety", "contempt", "disappointment", "helplessness"));
}

// Calm is no neutral: RAVDESS has both.
TEST(LabelMapping, OfActedDataSets) {
  const LabelMapping ravdess = map_labels(set_of("ravdess"), set_of("dfew"));
  EXPECT_THAT(ravdess.dropped, ElementsAre("calm"));
  EXPECT_THAT(ravdess.missing, IsEmpty());
  EXPECT_EQ(ravdess.map_index(0), 2U);            // neutral
  EXPECT_EQ(ravdess.map_index(1), std::nullopt);  // calm
  EXPECT_EQ(ravdess.map_index(7), 4U);            // surprise
  const LabelMapping crema_d = map_labels(set_of("crema-d"), set_of("ravdess"));
  EXPECT_THAT(crema_d.dropped, IsEmpty());
  EXPECT_THAT(crema_d.missing, ElementsAre("calm", "surprise"));
  const std::vector<float> p = {1, 2, 3, 4, 5, 6};
  EXPECT_THAT(crema_d.map_probabilities(p).value(), ElementsAre(5, 0, 4, 6, 1, 3, 2, 0));
}

TEST(LabelMapping, TheSameClassesOnlyChangeOrder) {
  const LabelMapping mapping = map_labels(set_of("ferv39k"), set_of("ferv39k-mae-dfer"));
  const std::vector<float> p = {1, 2, 3, 4, 5, 6, 7};
  EXPECT_THAT(mapping.map_probabilities(p).value(), ElementsAre(4, 6, 5, 1, 7, 2, 3));
}

TEST(LabelMapping, NothingLeftIsZeros) {
  const LabelMapping mapping = map_labels(make_label_set("a", {"happy", "bored"}).value(),
                                          make_label_set("b", {"happy"}).value());
  EXPECT_THAT(mapping.map_probabilities(std::vector<float>{0, 1}).value(), ElementsAre(0));
  EXPECT_FALSE(mapping.map_probabilities(std::vector<float>{0, 1, 0}));
}

}  // namespace
}  // namespace mien::core
