// The clips of the DFER data sets: which there are, what they show, and which of them train or
// test. Annotation files are read as their makers published them; nothing is decoded here.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "mien/result.hpp"

namespace mien::learn {

// A square of a frame in whole pixels. It may reach over the frame's borders: there the outermost
// pixels are repeated. side 0 is the whole frame.
struct FrameSquare {
  int left = 0;
  int top = 0;
  int side = 0;
};

struct ClipEntry {
  std::string id;      // as the annotation names it, e.g. "00001" or "DailyLife/Angry/0001"
  std::string path;    // a folder of frames or a video file; relative ones from the working folder;
                       // it may not exist (check_clips tells)
  int label = -1;      // index into ClipList::classes
  std::string group;   // actor, where the data set tells; else empty
  double start_s = 0;  // part of the video; end_s < 0: to its end
  double end_s = -1;
  FrameSquare face = {};  // what is used of every frame; lists leave it whole (clip_faces.h)
};

struct ClipList {
  std::vector<std::string> classes;  // canonical names (core/labels.h) in the order of the labels
  std::vector<ClipEntry> clips;      // in the order of the list file, or of their ids where none is
  std::string format = {};           // of the layout; never "auto"
};

struct ClipSource {
  std::string path;             // root of the data set as it was unpacked, or a manifest file
  std::string format = "auto";  // a name of the table below; "auto" looks at what lies in `path`
  std::string split = "train";  // "train", "valid" or "test"; "val" is "valid"
  int fold = 1;                 // 1..5, where the data set has folds
  std::string annotation;       // the list file to read instead of the one of split and fold
};

// The formats of the table below by name, in its order; "auto", which is none of them, is left out.
std::vector<std::string> clip_formats();

// Reads one part of a data set. k is the fold, S the part ("train" or "test"); the papers have no
// validation part and pick their checkpoints on the test part, so "valid" is "test" unless said
// otherwise. Of the places of a line, the first that exists counts.
//
//   dfew        lists EmoLabel_DataSplit/S(single-labeled)/S_set_k.csv (S2D: labels from 0) or
//               set_k.csv there (the authors': labels from 1), also EmoLabel_DataSplit/S_set_k.csv
//               and S_set_k.csv. Which numbering a file has is told by a 0 or a 7 in it, else by
//               its name; both at once, or neither sign, is an error. Ids have five digits.
//               Clips Clip/clip_224x224_16f/ID (16 frames each), else as dfew-original.
//   dfew-original   the same lists; clips of full length: Clip/jpg_256, Clip/clip_224x224,
//               Clip/clip_224x224_avi or Clip/original.
//   ferv39k     lists Annotation/S.csv (S2D: header path,id), 4_setups/All_scenes/S_All.csv (the
//               authors': "Scene/Emotion/NNNN Emotion"), S_All.csv or S.csv; clips
//               2_ClipsforFaceCrop/Scene/Emotion/NNNN. A label that contradicts its folder's
//               emotion is an error. No folds.
//   mafw        lists set_k/S.csv (header video_name,labels) or set_k/S.txt ("NNNNN.mp4 emotion";
//               with captions: fields between tabs, captions in any encoding) below
//               anno/single/no_caption, Train & Test Set/single/no_caption,
//               split/single/no_caption, single/no_caption or the root; clips
//               frames_crop_align_224, data/frames, frames, data/clips or clips. Ids lose their
//               ".mp4". Compound emotions ("anger_disgust") are another task and refused
//               (kUnsupported).
//   mae-dfer-dfew, mae-dfer-ferv39k, mae-dfer-mafw
//               lists S.csv of MAE-DFER, SVFAP and VideoMAE without a header: "folder label", the
//               classes in *their* order (FERV39k as DFEW; MAFW with the seven basic ones first).
//               Below org/split0k, split0k (dfew), single/split0k, split0k (mafw), all_scenes
//               (ferv39k) or in the root; "valid" is val.csv where there is one. Folders that do
//               not exist as written are looked for below `path` by the ends of their names.
//   ravdess     videos or folders of frames named 02-01-06-01-02-01-12 (modality, vocal channel,
//               emotion, intensity, statement, repetition, actor) anywhere below the root, speech
//               only. Of the same take with and without sound the silent one is used. 8 classes by
//               the data set's numbers: neutral, calm, happiness, sadness, anger, fear, disgust,
//               surprise.
//   crema-d     videos or folders of frames named 1001_DFA_ANG_XX (actor, sentence, emotion,
//               intensity) anywhere below the root. 6 classes, alphabetical: anger, disgust, fear,
//               happiness, neutral, sadness.
//   manifest    manifest_SPLIT.csv, else manifest.csv, or the file `path` itself: columns path and
//               label, optional start_s, end_s, group and split (then only rows of that split
//               count; with no "valid" row, "valid" is "test"). Paths are relative to the file's
//               folder; the id is the path, with "@start-end" behind it where times are given.
//               Labels are names, or numbers from 0. classes.txt beside the file gives the order of
//               the classes, one a line; without it names are sorted, and numbers are their own
//               names.
//
// Folds of ravdess and crema-d keep every actor's clips together: fold k tests on its actors and
// trains on all others, and "all" as a split gives both. The fold is a function of the actor's
// number alone, so that an incomplete copy has the same folds: RAVDESS deals the women (even
// numbers) to folds 1,2,3,4,5,1.. and the men (odd) to 5,4,3,2,1,5.., CREMA-D, whose numbers do not
// tell, deals actor 1001 to fold 1, 1002 to 2 and so on. (MAE-DFER's own lists cut the actors into
// runs, RAVDESS into 6: to repeat its numbers, write those lists as manifests.) They have no list
// files, so `annotation` is refused.
//
// A UTF-8 byte order mark and CRLF line ends are fine. Errors, with the file as context: kNotFound
// (no list; the places looked at), kInvalidArgument (format, split, fold), kBadFormat (a row that
// is none, a label out of range or of another order, an id listed twice, a list without clips),
// kUnsupported, kLimit (a list of more than 64 MB), kIo.
Result<ClipList> read_clip_list(const ClipSource& source);

// Whether the clips of a format are to be cut to the faces in them. `faces` is "detect", "whole" or
// "auto": "auto" detects where the data set is as it was recorded, heads and shoulders before a
// wall (ravdess, crema-d), and takes frames whole where its makers cut out the faces, as nearly
// always (dfew-original has its films too, when nothing else lies there), or where nobody knows
// (manifest). Error kInvalidArgument for another word.
Result<bool> cuts_to_faces(const std::string& faces, const std::string& format);

// Which clips cannot be used, found before training starts.
struct ClipProblem {
  std::string id, path, reason;
};
struct ClipCheck {
  std::vector<ClipProblem> missing;  // in the order of the list
  std::size_t usable = 0;            // clips left in the list
};

// Removes from the list what is not there or cannot be what its name says: no such path, a folder
// without pictures, an empty or unreadable file, a Git LFS pointer in place of the file. Of a
// folder only the first picture's beginning is read, and nothing is decoded, so damage further in
// shows when the clip is.
ClipCheck check_clips(ClipList& list);

// One table of the problems for the start of a run: how many of how many, at most `max_rows` of
// them with id, reason and path, and how many are left. Empty when there are none. Every line ends
// with a newline; control characters of names are replaced.
std::string problem_table(const ClipCheck& check, std::size_t max_rows);

}  // namespace mien::learn
