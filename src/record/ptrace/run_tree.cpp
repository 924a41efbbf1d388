// Which tasks and processes there are, and what they have of those that created them.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/procfs.hpp"
#include "record/ptrace/run.hpp"

namespace callcensus::ptrace {

Run::Task* Run::find(pid_t tid) {
    const auto found = tasks_.find(tid);
    return found == tasks_.end() ? nullptr : &found->second;
}

// `certain`: the creator is known from the kernel, and not guessed.
Run::Task& Run::begin(pid_t tid, pid_t process, const Task* creator, bool certain) {
    const TaskId creator_id = creator != nullptr ? creator->id : TaskId{};
    Process& group = processes_[process];
    if (++group.threads == 1) {
        group.pid = process;
        inherit(group, creator, certain);
    }
    Task& task = tasks_[tid];
    task.id = {tid, next_serial_++};
    task.process = &group;
    if (creator != nullptr)
        if (const auto hidden = hidden_untraced_.find(creator->id.tid); hidden != hidden_untraced_.end())
            task.untraced_to_restore = hidden->second;
    task.recorded = creator != nullptr ? creator->recorded : records_strangers(tid);
    task.outside = is_outside_containers(task);
    if (task.recorded)
        emit(TaskStarted{task.id, creator_id, process,
                         creator != nullptr ? std::string() : procfs::executable(tid), scope_of(group)});
    return task;
}

void Run::inherit(Process& process, const Task* creator, bool certain) {
    if (creator != nullptr) process.creator = creator->process->pid;
    if (!learner_) return;
    process.learnt = &learner_->started(process.pid, process.creator,
                                        creator != nullptr ? std::string() : procfs::executable(process.pid));
    if (certain) {
        if (creator != nullptr)
            process.release = creator->process->release.of_child(creator->surely_filtered);
        return;
    }
    const auto status = procfs::task_status(process.pid);
    const bool has_filter = !status || status->seccomp != 0;
    process.release = creator != nullptr ? creator->process->release.of_presumed_child(has_filter)
                                         : Release::of_stranger(has_filter);
}

// A task that stops before we were told of it. Its creator is in the middle of a call that creates tasks, and
// /proc says which process it belongs to or descends from.
Run::Task* Run::adopt(pid_t tid) {
    const auto status = procfs::task_status(tid);
    if (!status || status->tracer != self_) return nullptr;
    const bool is_thread = processes_.count(status->process) != 0;
    const pid_t origin = is_thread ? status->process : status->parent;
    const auto creates_there = [&](const auto& entry) {
        return entry.second.process->pid == origin && entry.second.expects_child;
    };
    const auto is_there = [&](const auto& entry) { return entry.second.process->pid == origin; };
    auto creator = std::find_if(tasks_.begin(), tasks_.end(), creates_there);
    if (creator == tasks_.end()) creator = std::find_if(tasks_.begin(), tasks_.end(), is_there);
    const Task* known = creator != tasks_.end() ? &creator->second : nullptr;
    // A leader's id that is new to us: the leader had ended when we came, and another thread of the process
    // has just executed a program and got it. Nobody will tell of its creation.
    const bool has_executed = is_thread && tid == status->process;
    if (!has_executed) adopted_.insert(tid);
    return &begin(tid, status->process, known, false);
}

// `whole`: it came to its end by itself.
void Run::forget(pid_t tid, bool whole) {
    const auto found = tasks_.find(tid);
    if (found == tasks_.end()) return;
    Process& process = *found->second.process;
    if (found->second.arriving) count_arrival(found->second);
    if (found->second.loads_filter) process.release.has_tried_to_load_filter(false);
    abandon_injection(found->second);
    drop_parked(found->second);
    hidden_untraced_.erase(tid);
    tasks_.erase(found);
    if (--process.threads != 0) return;
    if (learner_) learner_->ended(*process.learnt, whole);
    processes_.erase(process.pid);
}

// An exec ends every other thread of its process and gives the one that did it the leader's tid. Neither the
// old tid nor (where it was the leader's own) the leader gets a wait status of its own.
void Run::end_siblings(const Task& survivor, pid_t former_tid) {
    if (survivor.process->threads <= 1) return;
    if (Task* former = find(former_tid); former != nullptr && former_tid != survivor.id.tid) {
        Task& leader = tasks_.at(survivor.id.tid);
        leader.current = former->current;
        leader.expects_child = false;
        leader.group_stopped = false;
        if (std::exchange(leader.loads_filter, false))
            leader.process->release.has_tried_to_load_filter(false);
    }
    std::vector<std::pair<TaskId, bool>> gone;
    for (const auto& [tid, task] : tasks_)
        if (task.process == survivor.process && tid != survivor.id.tid)
            gone.emplace_back(task.id, task.recorded);
    for (const auto& [id, recorded] : gone) {
        forget(id.tid);
        if (recorded) emit(TaskExited{id, {}});
    }
}

}  // namespace callcensus::ptrace
