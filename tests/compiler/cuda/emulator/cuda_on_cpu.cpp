// Runs a kernel's blocks one after another, and the threads of a block on fibers.
//
// A thread that never waits is a function call: its fiber goes on with the next thread. A thread that waits keeps its
// fiber, and the next thread gets another one.

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

struct uint3 { unsigned x, y, z; };
uint3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

const int THREADS = 1024, WARP = 32, STACK = 1 << 17;
const unsigned long long POISON = ~0ull;  // NaN, as float and as double

enum State { READY, AT_BARRIER, AT_EXCHANGE, DONE };

struct Fiber {
    jmp_buf at;
    char *stack;
    bool started;
};

struct Thread {
    uint3 index;
    State state;
    int place, from;
    unsigned mask;
    unsigned long long value, result;
    Fiber *fiber;
};

Fiber fibers[THREADS], *idle[THREADS];
Thread threads[THREADS];
unsigned turns[THREADS];  // the order of the threads
int n_threads, n_idle, n_done, turn, current;
jmp_buf scheduler;
ucontext_t start;
void (*run)(void **);
void **arguments;
const char *failure;
char message[256];

bool next_thread() {  // makes the next thread that can run current; false if none is left
    while (turn < n_threads && !failure) {
        current = int(turns[turn++]);
        if (threads[current].state != READY) continue;
        threadIdx = threads[current].index;
        return true;
    }
    return false;
}

void fiber_main();

[[noreturn]] void enter(Fiber *fiber) {
    if (fiber->started) _longjmp(fiber->at, 1);
    fiber->started = true;
    getcontext(&start);
    start.uc_stack.ss_sp = fiber->stack;
    start.uc_stack.ss_size = STACK;
    start.uc_link = nullptr;
    makecontext(&start, fiber_main, 0);
    setcontext(&start);
    abort();
}

[[noreturn]] void enter_current() {
    Thread &thread = threads[current];
    if (!thread.fiber) thread.fiber = idle[--n_idle];
    enter(thread.fiber);
}

void leave(Fiber *fiber) {  // returns when this fiber is entered again
    if (_setjmp(fiber->at)) return;
    if (next_thread()) enter_current();
    _longjmp(scheduler, 1);
}

void fiber_main() {
    for (;;) {
        Fiber *own = threads[current].fiber;
        run(arguments);
        threads[current].state = DONE;
        n_done++;
        if (next_thread()) {
            if (!threads[current].fiber) {
                threads[current].fiber = own;
                continue;
            }
            idle[n_idle++] = own;
            if (!_setjmp(own->at)) enter_current();
        } else {
            idle[n_idle++] = own;
            if (!_setjmp(own->at)) _longjmp(scheduler, 1);
        }
    }
}

unsigned long long random_state;

unsigned random_below(unsigned n) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return unsigned((random_state >> 32) % n);
}

void arrange(unsigned *numbers, unsigned n, int order) {  // 0: ascending, 1: descending, 2: random
    for (unsigned i = 0; i < n; i++) numbers[i] = order == 1 ? n - 1 - i : i;
    for (unsigned i = n; order == 2 && i > 1; i--) {
        unsigned j = random_below(i), other = numbers[j];
        numbers[j] = numbers[i - 1];
        numbers[i - 1] = other;
    }
}

const char *fail(const char *what, const Thread &one, const Thread &other) {
    const char *does[] = {"runs", "waits at a __syncthreads", "waits for its warp", "has ended"};
    snprintf(message, sizeof message, "%s: in block (%u, %u, %u), thread (%u, %u, %u) %s, and thread (%u, %u, %u) %s%s",
             what, blockIdx.x, blockIdx.y, blockIdx.z, one.index.x, one.index.y, one.index.z, does[one.state],
             other.index.x, other.index.y, other.index.z, does[other.state],
             one.state == other.state ? " at another place" : "");
    return message;
}

bool release_warp(int first) {  // true if a thread of the warp can continue
    int n = n_threads - first < WARP ? n_threads - first : WARP;
    bool any = false;
    for (int i = 0; i < n; i++) {
        Thread &thread = threads[first + i];
        if (thread.state != AT_EXCHANGE) continue;
        bool all = true;
        for (int j = 0; j < n; j++) {
            Thread &other = threads[first + j];
            bool with = other.state == AT_EXCHANGE && other.place == thread.place && other.mask == thread.mask;
            all = all && (!(thread.mask >> j & 1) || with || other.state == DONE);
        }
        if (!all) continue;
        for (int j = 0; j < n; j++) {
            Thread &other = threads[first + j];
            if (!(thread.mask >> j & 1) || other.state == DONE) continue;
            bool has = other.from < n && thread.mask >> other.from & 1 && threads[first + other.from].state != DONE;
            other.result = has ? threads[first + other.from].value : POISON;
        }
        for (int j = 0; j < n; j++)
            if (thread.mask >> j & 1 && threads[first + j].state != DONE) threads[first + j].state = READY;
        any = true;
    }
    return any;
}

const char *release() {  // lets threads continue, or returns why none can
    bool any = false;
    for (int first = 0; first < n_threads; first += WARP) any = release_warp(first) || any;
    if (any) return nullptr;
    for (int i = 0; i < n_threads; i++)
        if (threads[i].state != AT_BARRIER || threads[i].place != threads[0].place)
            return fail("divergent barrier", threads[0], threads[i]);
    for (int i = 0; i < n_threads; i++) threads[i].state = READY;
    return nullptr;
}

const char *run_block(int order) {
    for (int i = 0; i < n_threads; i++) {
        threads[i].state = READY;
        threads[i].fiber = nullptr;
    }
    n_done = 0;
    for (;;) {
        if (order == 2) arrange(turns, unsigned(n_threads), order);
        turn = 0;
        if (!_setjmp(scheduler) && next_thread()) enter_current();
        if (failure) return failure;
        if (n_done == n_threads) return nullptr;
        if (const char *why = release()) return why;
    }
}

}  // namespace

namespace cuda_on_cpu {

int lane() { return current % WARP; }

void barrier(int place) {
    threads[current].state = AT_BARRIER;
    threads[current].place = place;
    leave(threads[current].fiber);
}

unsigned long long exchange(int place, unsigned mask, unsigned long long value, int from) {
    Thread &thread = threads[current];
    if (!(mask >> lane() & 1)) failure = "a thread calls a function of its warp with a mask that leaves it out";
    thread.state = AT_EXCHANGE;
    thread.place = place;
    thread.mask = mask;
    thread.value = value;
    thread.from = from;
    leave(thread.fiber);
    return thread.result;
}

}  // namespace cuda_on_cpu

// Returns an error message, or null.
extern "C" const char *cuda_on_cpu_launch(void (*kernel)(void **), void **args, const unsigned *grid, const unsigned *block,
                                          int order, char *shared, size_t shared_size) {
    run = kernel;
    arguments = args;
    failure = nullptr;
    random_state = 88172645463325252ull;
    gridDim = {grid[0], grid[1], grid[2]};
    blockDim = {block[0], block[1], block[2]};
    n_threads = int(block[0] * block[1] * block[2]);
    n_idle = 0;
    for (int i = THREADS - 1; i >= 0; i--) {
        if (!fibers[i].stack) fibers[i].stack = (char *)malloc(STACK);
        idle[n_idle++] = &fibers[i];
    }
    arrange(turns, unsigned(n_threads), order);
    for (int i = 0; i < n_threads; i++) {
        unsigned x = block[0], xy = x * block[1], n = unsigned(i);
        threads[i].index = {n % x, n % xy / x, n / xy};
    }
    unsigned n = grid[0] * grid[1] * grid[2], *numbers = (unsigned *)malloc(n * sizeof(unsigned));
    arrange(numbers, n, order);
    const char *why = nullptr;
    for (unsigned i = 0; i < n && !why; i++) {
        unsigned k = numbers[i];
        blockIdx = {k % grid[0], k / grid[0] % grid[1], k / grid[0] / grid[1]};
        memset(shared, int(POISON & 0xff), shared_size);
        why = run_block(order);
    }
    free(numbers);
    if (why)  // threads that have not ended are abandoned; their stacks are used anew
        for (Fiber &fiber : fibers) fiber.started = false;
    return why;
}
