// Private to learn/data: one reader per layout. Each gives pictures with labels in the dataset's
// own classes; read_stills() does the rest.
#pragma once

#include <string>

#include "learn/data/still_set.h"
#include "media/image.h"

namespace mien::learn {

// FERPlus as pictures and votes: <split>.tar, <split>.csv and, when there,
// <split>_landmarks.csv.gz.
Result<StillSet> read_ferplus(const std::string& folder, const std::string& split,
                              StillReport& report);

// Web and film faces: faces.tar, faces.csv (image,label,x,y,w,h), faces_landmarks.csv.gz.
Result<StillSet> read_web_faces(const std::string& folder, StillReport& report);

// RAF-DB's basic part: EmoLabel/list_patition_label.txt and Image/aligned (or Image/original).
Result<StillSet> read_rafdb(const std::string& folder, const std::string& split,
                            StillReport& report);

// AffectNet: <split>_set/{images,annotations/*_exp.npy} as distributed since 2021, or one folder
// per class under <split>.
Result<StillSet> read_affectnet(const std::string& folder, const std::string& split,
                                StillReport& report);

// manifest.csv with path,label; paths relative to its folder.
Result<StillSet> read_manifest(const std::string& folder, StillReport& report);

// Shared by the readers.
std::vector<std::uint8_t> luma_of(const media::ImageView& image);
void set_single_label(Still& still, std::size_t label, std::size_t classes);
void skip(StillReport& report, const std::string& name, const std::string& why);

// Adds pictures named by path (one label each) to `set`, decoding them from files.
struct LabelledFile {
  std::string path;
  std::size_t label = 0;
};
void add_files(StillSet& set, const std::vector<LabelledFile>& files, StillReport& report);

}  // namespace mien::learn
