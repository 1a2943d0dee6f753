#include "engine/net/deadline_heap.h"

namespace skald {

void DeadlineHeap::put(std::size_t index, DeadlineNode* node) {
  nodes_[index] = node;
  node->index_ = index;
}

void DeadlineHeap::sift_up(std::size_t index) {
  DeadlineNode* node = nodes_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (nodes_[parent]->place_ <= node->place_) break;
    put(index, nodes_[parent]);
    index = parent;
  }
  put(index, node);
}

void DeadlineHeap::sift_down(std::size_t index) {
  DeadlineNode* node = nodes_[index];
  while (true) {
    std::size_t child = 2 * index + 1;
    if (child >= nodes_.size()) break;
    if (child + 1 < nodes_.size() && nodes_[child + 1]->place_ < nodes_[child]->place_) ++child;
    if (node->place_ <= nodes_[child]->place_) break;
    put(index, nodes_[child]);
    index = child;
  }
  put(index, node);
}

void DeadlineHeap::set(DeadlineNode& node, SteadyTime due) {
  node.due_ = due;
  if (node.index_ == DeadlineNode::kOutside) {
    node.place_ = due;
    nodes_.push_back(&node);
    sift_up(nodes_.size() - 1);
  } else if (due < node.place_) {
    node.place_ = due;
    sift_up(node.index_);
  }
}

void DeadlineHeap::remove(DeadlineNode& node) {
  node.due_ = SteadyTime::max();
  const std::size_t index = node.index_;
  if (index == DeadlineNode::kOutside) return;
  node.index_ = DeadlineNode::kOutside;
  DeadlineNode* last = nodes_.back();
  nodes_.pop_back();
  if (last == &node) return;
  put(index, last);
  sift_up(index);
  sift_down(last->index_);
}

SteadyTime DeadlineHeap::next() const {
  return nodes_.empty() ? SteadyTime::max() : nodes_.front()->place_;
}

DeadlineNode* DeadlineHeap::take_due(SteadyTime now) {
  while (!nodes_.empty() && nodes_.front()->place_ <= now) {
    DeadlineNode* node = nodes_.front();
    if (node->due_ <= now || node->due_ == SteadyTime::max()) {
      const bool due = node->due_ <= now;
      remove(*node);
      if (due) return node;
    } else {
      node->place_ = node->due_;
      sift_down(0);
    }
  }
  return nullptr;
}

}  // namespace skald
