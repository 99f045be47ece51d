#include "learn/history.h"

#include <filesystem>
#include <sstream>

#include "core/files.h"

namespace mien::learn {
namespace {

std::string header_of(const HistoryRow& row) {
  std::string out = "epoch,step,lr,loss,seconds,samples_per_s";
  for (const auto& [name, value] : row.figures) out += "," + name;
  return out + "\n";
}

std::string line_of(const HistoryRow& row) {
  std::ostringstream out;
  out.precision(8);
  out << row.epoch << ',' << row.step << ',' << row.lr << ',' << row.loss << ',' << row.seconds
      << ',' << row.samples_per_s;
  for (const auto& [name, value] : row.figures) out << ',' << value;
  out << '\n';
  return out.str();
}

// The step of a history line, -1 for the header.
std::int64_t step_of(const std::string& line) {
  const std::size_t first = line.find(',');
  if (first == std::string::npos) return -1;
  return std::strtoll(line.c_str() + first + 1, nullptr, 10);
}

}  // namespace

Status append_history(const std::string& path, const HistoryRow& row) {
  std::string text = header_of(row);
  if (std::filesystem::exists(path)) {
    MIEN_ASSIGN(const std::string old, core::read_text_file(path));
    std::istringstream lines(old);
    std::string line;
    std::getline(lines, line);
    text = line + "\n";
    while (std::getline(lines, line)) {
      if (step_of(line) < row.step) text += line + "\n";
    }
  }
  return core::write_file_atomically(path, text + line_of(row));
}

}  // namespace mien::learn
