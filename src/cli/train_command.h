// The subcommands of mien-train. Each adds itself to `root` and leaves its exit code in `exit_code`
// (0 done, 1 failed, 2 wrong usage; 130 interrupted).
#pragma once

namespace CLI {
class App;
}

namespace mien::cli {

void add_train(CLI::App& root, int& exit_code);
void add_pack(CLI::App& root, int& exit_code);
void add_eval(CLI::App& root, int& exit_code);
void add_quantize(CLI::App& root, int& exit_code);
void add_sweep(CLI::App& root, int& exit_code);

}  // namespace mien::cli
