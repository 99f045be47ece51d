// A small reader of XML for tests: says what is wrong with a document, if anything.
#pragma once

#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace mien::report {

// How often `part` stands in `text`, overlaps included.
inline std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// Looks at tags, attributes, entities and ids; knows no encodings, comments or DTDs.
class XmlCheck {
 public:
  // The first fault with the text around it, "" when the document is well-formed and no id appears
  // twice.
  static std::string fault(std::string_view text) {
    XmlCheck check(text);
    check.run();
    return check.fault_;
  }

 private:
  explicit XmlCheck(std::string_view text) : text_(text) {}

  void run() {
    while (fault_.empty() && at_ < text_.size()) {
      if (text_[at_] == '<') {
        tag();
      } else {
        character(open_.empty());
      }
    }
    if (fault_.empty() && !open_.empty()) fail("<" + open_.back() + "> is never closed");
    if (fault_.empty() && roots_ != 1) fail("not one root element");
  }

  void fail(const std::string& what) {
    if (!fault_.empty()) return;
    const std::size_t from = at_ < 40 ? 0 : at_ - 40;
    fault_ = what + " near: " + std::string(text_.substr(from, 80));
  }

  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  void blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }

  std::string name() {
    const std::size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 ||
                                  text_[at_] == '-' || text_[at_] == ':' || text_[at_] == '_')) {
      ++at_;
    }
    if (at_ == start) fail("a name is missing");
    return std::string(text_.substr(start, at_ - start));
  }

  // One character of text; outside the root only blanks are allowed.
  void character(bool outside) {
    const char c = text_[at_];
    const bool blank = std::isspace(static_cast<unsigned char>(c)) != 0;
    if (outside && !blank) return fail("text outside the root");
    if (static_cast<unsigned char>(c) < 0x20 && !blank) return fail("a control character");
    if (c != '&') {
      ++at_;
      return;
    }
    for (const char* entity : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
      if (take(entity)) return;
    }
    fail("an '&' that begins no entity");
  }

  void attribute(std::set<std::string>& names) {
    const std::string attribute_name = name();
    if (!names.insert(attribute_name).second) return fail("attribute " + attribute_name + " twice");
    if (!take("=\"")) return fail("attribute without quoted value");
    const std::size_t start = at_;
    while (fault_.empty() && at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] == '<') return fail("'<' in an attribute");
      character(false);
    }
    const std::string value(text_.substr(start, at_ - start));
    if (!take("\"")) return fail("an open quote");
    if (attribute_name == "id" && !ids_.insert(value).second) fail("id '" + value + "' twice");
  }

  void tag() {
    if (take("<?xml") || take("<!DOCTYPE")) {
      while (at_ < text_.size() && text_[at_] != '>') ++at_;
      if (!take(">")) fail("an open declaration");
      return;
    }
    if (take("</")) {
      const std::string closed = name();
      if (open_.empty() || open_.back() != closed) return fail("</" + closed + "> closes nothing");
      open_.pop_back();
      if (!take(">")) fail("a broken end tag");
      return;
    }
    take("<");
    const std::string element = name();
    if (open_.empty()) ++roots_;
    std::set<std::string> names;
    while (fault_.empty()) {
      blanks();
      if (take("/>")) return;
      if (take(">")) {
        open_.push_back(element);
        return;
      }
      attribute(names);
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t roots_ = 0;
  std::vector<std::string> open_;
  std::set<std::string> ids_;
  std::string fault_;
};

}  // namespace mien::report
