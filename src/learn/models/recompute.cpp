#include "learn/models/recompute.h"

#include <mutex>

#include "learn/autocast.h"

namespace mien::learn {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

Tensor read_state(torch::Device device) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return generator.get_state();
}

void write_state(torch::Device device, const Tensor& state) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(state);
}

// Where the generators that a piece may draw from stand.
struct RandomState {
  explicit RandomState(torch::Device on) : device(on), cpu(read_state(torch::kCPU)) {
    if (!device.is_cpu()) other = read_state(device);
  }
  void restore() const {
    write_state(torch::kCPU, cpu);
    if (!device.is_cpu()) write_state(device, other);
  }

  torch::Device device;
  Tensor cpu, other;
};

// While alive, the generators run from an earlier state; afterwards they go on where they were.
class RandomReplay {
 public:
  explicit RandomReplay(const RandomState& from) : now_(from.device) { from.restore(); }
  ~RandomReplay() { now_.restore(); }
  RandomReplay(const RandomReplay&) = delete;
  RandomReplay& operator=(const RandomReplay&) = delete;

 private:
  RandomState now_;
};

// What the backward pass needs beside the inputs. A graph's node holds it.
struct FirstRun : torch::CustomClassHolder {
  FirstRun(Piece what, torch::Device on)
      : piece(std::move(what)), random(on), autocast(autocast_enabled(on)) {}
  Piece piece;
  RandomState random;
  bool autocast;
};

constexpr const char* kFirstRun = "first_run";

class Recompute : public torch::autograd::Function<Recompute> {
 public:
  // The last of `tensors` is the anchor (below); the piece does not get it. LibTorch calls this
  // without gradient mode, so nothing inside the piece is recorded.
  static variable_list forward(AutogradContext* context, const Piece& piece,
                               at::TensorList tensors) {
    const torch::Device device = tensors[0].device();
    variable_list inputs = tensors.vec();
    context->save_for_backward(inputs);
    inputs.pop_back();
    auto first_run = c10::make_intrusive<FirstRun>(piece, device);
    const AutocastOverride uncached(device, first_run->autocast);
    context->saved_data[kFirstRun] = c10::IValue::make_capsule(std::move(first_run));
    return piece(inputs);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const auto capsule = context->saved_data[kFirstRun].toCapsule();
    const auto& first_run = static_cast<const FirstRun&>(*capsule);
    variable_list inputs;
    for (std::size_t i = 0; i + 1 < saved.size(); ++i) {
      inputs.push_back(saved[i].detach().requires_grad_(saved[i].requires_grad()));
    }
    backward_through(run_again(first_run, inputs), gradients);
    variable_list result(saved.size() + 1);  // the piece, the inputs, the anchor
    for (std::size_t i = 0; i < inputs.size(); ++i) result[i + 1] = inputs[i].grad();
    return result;
  }

 private:
  static variable_list run_again(const FirstRun& first_run, const variable_list& inputs) {
    const torch::AutoGradMode recorded(true);
    const RandomReplay replay(first_run.random);
    const AutocastOverride as_then(first_run.random.device, first_run.autocast);
    return first_run.piece(inputs);
  }

  static void backward_through(const variable_list& outputs, const variable_list& gradients) {
    variable_list roots;
    variable_list root_gradients;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (!outputs[i].requires_grad()) continue;
      roots.push_back(outputs[i]);
      root_gradients.push_back(gradients[i]);
    }
    if (!roots.empty()) torch::autograd::backward(roots, root_gradients);
  }
};

}  // namespace

std::vector<Tensor> recompute(const Piece& piece, const std::vector<Tensor>& inputs) {
  TORCH_CHECK(!inputs.empty(), "recompute needs an input");
  if (!c10::GradMode::is_enabled()) return piece(inputs);
  // A node comes into being only for inputs that require gradients. Those of a first block may not,
  // its parameters do: the anchor makes sure of a node, and gets no gradient.
  std::vector<Tensor> tensors = inputs;
  tensors.push_back(torch::empty({0}).requires_grad_());
  return Recompute::apply(piece, at::TensorList(tensors));
}

Tensor recompute(const std::function<Tensor(const Tensor&)>& piece, const Tensor& input) {
  const Piece listed = [piece](const std::vector<Tensor>& in) {
    return std::vector<Tensor>{piece(in.front())};
  };
  return recompute(listed, std::vector<Tensor>{input}).front();
}

}  // namespace mien::learn
