// The hot path of the load client (bench/crowd.py): what thousands of sockets are told, counted.
//
// Here is what is done for each frame of each socket; everything rarer is Python's, which is asked
// by `call`: to understand a frame that no socket has shown yet, to answer, to speak again. All
// sockets of a room get the same frames, so each is known again by its first bytes.

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

// As in bench/wire.py: holds the header, `from` and `to`, which no two frames of a room share.
#define KEY_BYTES 48
#define READ_BYTES (64 * 1024)
#define EVENTS_AT_ONCE 256  // between two looks at what is due to be sent
#define COMMANDS UINT32_MAX  // the number of what is no socket: where the commands come from
#define TEXT 0x1
#define ABNORMAL 1006

// What Python is asked for. It answers with the frame it knows now or NO_FRAME; with FAILED if it
// has to raise something, which ends whatever goes on here.
enum { CONNECTED, GREETED, MET, OWN, LOST };
enum { NO_FRAME = -1, FAILED = -2 };
typedef int (*Call)(int what, uint32_t number, int detail, const uint8_t *data, size_t size);

// The first three structures have their likeness in bench/hot.py.
typedef struct {
    int32_t fd;       // -1 once it is closed
    int32_t greeted;  // whether the handshake has been answered
    int64_t last;     // up to where this socket was told
    int64_t facts;    // of what must never be missing, how many it was told
    uint8_t *rest;    // of a frame that is not all there
    size_t size, room;
} Socket;

typedef struct {
    int64_t tick, sockets;
} Received;

typedef struct {
    Socket *sockets;
    Call call;
    int32_t epoll;
    int32_t wants_own;  // whether to tell who hears what it has said itself
    int64_t ns_per_tick;
    int64_t heard_ns;  // when anything came last
    int64_t gaps;
    struct Frame *frames;
    size_t frame_count, frame_room;
    struct Slot *slots;
    size_t slot_room;  // a power of two
} Crowd;

typedef struct Frame {
    int64_t first, last, facts;
    int64_t *authors;  // sorted
    size_t author_count;
    Received *received;  // in the order of time
    size_t received_count, received_room;
} Frame;

typedef struct Slot {
    uint8_t key[KEY_BYTES];  // shorter ones end in zeros, which no frame has there
    int32_t frame;
    int32_t taken;
} Slot;

static void *grown(void *old, size_t *room, size_t wanted, size_t each) {
    if (wanted <= *room) return old;
    size_t more = *room ? *room : 8;
    while (more < wanted) more *= 2;
    void *found = realloc(old, more * each);
    if (!found) abort();
    *room = more;
    return found;
}

static int64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);  // what time.perf_counter reads
    return at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
}

// -- frames that are known

static Slot *slot_of(Slot *slots, size_t room, const uint8_t *key) {
    uint64_t hash = 0, part;
    for (int at = 0; at < KEY_BYTES; at += 8) {
        memcpy(&part, key + at, 8);
        hash = (hash ^ part) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    size_t place = hash & (room - 1);
    while (slots[place].taken && memcmp(slots[place].key, key, KEY_BYTES))
        place = (place + 1) & (room - 1);
    return &slots[place];
}

static void make_room(Crowd *crowd) {
    if (2 * (crowd->frame_count + 1) <= crowd->slot_room) return;
    size_t room = crowd->slot_room ? 2 * crowd->slot_room : 1024;
    Slot *slots = calloc(room, sizeof(Slot));
    if (!slots) abort();
    for (size_t at = 0; at < crowd->slot_room; at++)
        if (crowd->slots[at].taken) *slot_of(slots, room, crowd->slots[at].key) = crowd->slots[at];
    free(crowd->slots);
    crowd->slots = slots;
    crowd->slot_room = room;
}

static int by_size(const void *one, const void *other) {
    int64_t a = *(const int64_t *)one, b = *(const int64_t *)other;
    return (a > b) - (a < b);
}

// A frame that Python has understood; its number, by which `received` tells of it.
int crowd_know(Crowd *crowd, int64_t first, int64_t last, int64_t facts, const int64_t *authors,
               size_t author_count) {
    crowd->frames =
        grown(crowd->frames, &crowd->frame_room, crowd->frame_count + 1, sizeof(Frame));
    Frame *frame = &crowd->frames[crowd->frame_count];
    *frame = (Frame){.first = first, .last = last, .facts = facts, .author_count = author_count};
    frame->authors = malloc((author_count + 1) * sizeof(int64_t));
    if (!frame->authors) abort();
    memcpy(frame->authors, authors, author_count * sizeof(int64_t));
    qsort(frame->authors, author_count, sizeof(int64_t), by_size);
    return (int)crowd->frame_count++;
}

size_t crowd_received(const Crowd *crowd, int frame, const Received **received) {
    *received = crowd->frames[frame].received;
    return crowd->frames[frame].received_count;
}

// Count anew. Not while `crowd_serve` or `crowd_take` goes on.
void crowd_forget(Crowd *crowd) {
    for (size_t at = 0; at < crowd->frame_count; at++) {
        free(crowd->frames[at].authors);
        free(crowd->frames[at].received);
    }
    free(crowd->frames);
    free(crowd->slots);
    crowd->frames = NULL;
    crowd->slots = NULL;
    crowd->frame_count = crowd->frame_room = crowd->slot_room = 0;
}

void crowd_drop(Socket *one) {
    one->fd = -1;
    free(one->rest);
    one->rest = NULL;
    one->size = one->room = 0;
}

// -- being told

static int told(Crowd *crowd, uint32_t number, int found, int64_t tick) {
    Frame *frame = &crowd->frames[found];
    Socket *one = &crowd->sockets[number];
    Received *newest = frame->received_count ? frame->received + frame->received_count - 1 : NULL;
    if (!newest || newest->tick != tick) {
        frame->received = grown(frame->received, &frame->received_room, frame->received_count + 1,
                                sizeof(Received));
        newest = frame->received + frame->received_count++;
        *newest = (Received){.tick = tick};
    }
    newest->sockets++;
    // What it should follow on is what this socket was told last.
    crowd->gaps += frame->first != one->last + 1;
    one->last = frame->last;
    one->facts += frame->facts;
    int64_t author = number;
    if (crowd->wants_own && bsearch(&author, frame->authors, frame->author_count, sizeof author,
                                    by_size))
        return crowd->call(OWN, number, 0, NULL, 0);
    return 0;
}

// One whole frame. Its payload begins at `body`.
static int take_frame(Crowd *crowd, uint32_t number, const uint8_t *data, size_t body, size_t end,
                      int64_t tick) {
    static const char now[] = "{\"now\"";
    if ((data[0] & 0xF) == TEXT && end - body >= sizeof now - 1 &&
        !memcmp(data + body, now, sizeof now - 1))
        return 0;
    uint8_t key[KEY_BYTES] = {0};
    memcpy(key, data, end < KEY_BYTES ? end : KEY_BYTES);
    make_room(crowd);
    Slot *slot = slot_of(crowd->slots, crowd->slot_room, key);
    if (slot->taken) return told(crowd, number, slot->frame, tick);
    int found = crowd->call(MET, number, data[0] & 0xF, data + body, end - body);
    if (found < 0) return found;
    memcpy(slot->key, key, KEY_BYTES);
    slot->frame = found;
    slot->taken = 1;
    return told(crowd, number, found, tick);
}

// Where the payload of the frame begins and ends; 0 if it is not all there.
static int whole_frame(const uint8_t *data, size_t left, size_t *body, size_t *end) {
    if (left < 2) return 0;
    uint64_t size = data[1];
    *body = 2;
    if (size > 125) {
        *body = size == 126 ? 4 : 10;
        if (left < *body) return 0;
        size = 0;
        for (size_t at = 2; at < *body; at++) size = size << 8 | data[at];
    }
    *end = *body + size;
    return left >= *end;
}

// All frames that are whole; how many bytes that was, or FAILED.
static ssize_t take_frames(Crowd *crowd, uint32_t number, const uint8_t *data, size_t size,
                           int64_t tick) {
    size_t at = 0, body, end;
    if (!crowd->sockets[number].greeted) {
        const uint8_t *blank = memmem(data, size, "\r\n\r\n", 4);
        if (!blank) return 0;
        at = (size_t)(blank - data) + 4;
        crowd->sockets[number].greeted = 1;
        if (crowd->call(GREETED, number, 0, data, at) == FAILED) return FAILED;
    }
    while (crowd->sockets[number].fd >= 0 && whole_frame(data + at, size - at, &body, &end)) {
        if (take_frame(crowd, number, data + at, body, end, tick) == FAILED) return FAILED;
        at += end;
    }
    return (ssize_t)at;
}

// What one read of one socket gave; FAILED or 0.
int crowd_take(Crowd *crowd, uint32_t number, const uint8_t *data, size_t size, int64_t tick) {
    Socket *one = &crowd->sockets[number];
    if (one->size) {
        one->rest = grown(one->rest, &one->room, one->size + size, 1);
        memcpy(one->rest + one->size, data, size);
        data = one->rest;
        size += one->size;
    }
    ssize_t taken = take_frames(crowd, number, data, size, tick);
    if (taken < 0) return FAILED;
    if (one->fd < 0) return 0;
    size_t left = size - (size_t)taken;
    if (left) {
        int is_rest = data == one->rest;
        one->rest = grown(one->rest, &one->room, left, 1);
        memmove(one->rest, is_rest ? one->rest + taken : data + taken, left);
    }
    one->size = left;
    return 0;
}

static int read_one(Crowd *crowd, uint32_t number) {
    static uint8_t data[READ_BYTES];
    ssize_t size = recv(crowd->sockets[number].fd, data, READ_BYTES, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    if (size <= 0) return crowd->call(LOST, number, ABNORMAL, NULL, 0);
    crowd->heard_ns = now_ns();
    return crowd_take(crowd, number, data, (size_t)size, crowd->heard_ns / crowd->ns_per_tick);
}

// Take what comes within the time: 1 when there is a command, FAILED, otherwise 0.
int crowd_serve(Crowd *crowd, int timeout_ms) {
    struct epoll_event ready[EVENTS_AT_ONCE];
    int count = epoll_wait(crowd->epoll, ready, EVENTS_AT_ONCE, timeout_ms);
    for (int at = 0; at < count; at++) {
        uint32_t number = ready[at].data.u32;
        if (number == COMMANDS) return 1;
        if (crowd->sockets[number].fd < 0) continue;
        int done = ready[at].events & EPOLLOUT ? crowd->call(CONNECTED, number, 0, NULL, 0)
                                               : read_one(crowd, number);
        if (done == FAILED) return FAILED;
    }
    return 0;
}

// Wait for a socket to be connected (`is_new`), or for what it is told; or for commands.
int crowd_heed(Crowd *crowd, int fd, uint32_t number, int is_new, int is_connecting) {
    struct epoll_event event = {.events = is_connecting ? EPOLLOUT : EPOLLIN};
    event.data.u32 = number;
    return epoll_ctl(crowd->epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
}
