// history.csv of a run that is new, that was stopped and goes on, and that an older build began.
#include "learn/history.h"

#include <gtest/gtest.h>

#include <string>

#include "core/files.h"
#include "core/temp_folder.h"

namespace mien::learn::history_test {
namespace {

using mien::testing::TempFolder;

HistoryRow row_of(std::int64_t epoch, double loss) {
  HistoryRow row;
  row.epoch = epoch;
  row.step = 10 * epoch;
  row.lr = 0.5;
  row.loss = loss;
  row.seconds = 3.0;
  row.samples_per_s = 4.5;
  row.figures = {{"war", 0.25}};
  return row;
}

TEST(History, GrowsRowByRow) {
  const TempFolder folder;
  const std::string path = folder.file("history.csv");
  ASSERT_TRUE(append_history(path, row_of(1, 2.0)).ok());
  ASSERT_TRUE(append_history(path, row_of(2, 1.5)).ok());
  EXPECT_EQ(core::read_text_file(path).value(),
            "epoch,step,lr,loss,seconds,samples_per_s,war\n"
            "1,10,0.5,2,3,4.5,0.25\n"
            "2,20,0.5,1.5,3,4.5,0.25\n");
}

TEST(History, ARunThatGoesOnWritesItsStepsAgain) {
  const TempFolder folder;
  const std::string path = folder.file("history.csv");
  for (const std::int64_t epoch : {1, 2, 3}) {
    ASSERT_TRUE(append_history(path, row_of(epoch, 2.0)).ok());
  }
  ASSERT_TRUE(append_history(path, row_of(2, 1.0)).ok());
  EXPECT_EQ(core::read_text_file(path).value(),
            "epoch,step,lr,loss,seconds,samples_per_s,war\n"
            "1,10,0.5,2,3,4.5,0.25\n"
            "2,20,0.5,1,3,4.5,0.25\n");
}

TEST(History, AnOlderFileKeepsItsHeader) {
  const TempFolder folder;
  const std::string path = folder.file("history.csv");
  const std::string old =
      "epoch,step,lr,loss,seconds,pictures_per_s,war\n"
      "1,10,0.5,2,3,80,0.2\n";
  ASSERT_TRUE(core::write_file_atomically(path, old).ok());
  ASSERT_TRUE(append_history(path, row_of(2, 1.0)).ok());
  EXPECT_EQ(core::read_text_file(path).value(), old + "2,20,0.5,1,3,4.5,0.25\n");
}

}  // namespace
}  // namespace mien::learn::history_test
