// Package messages is what travels between actors: the generated protobuf types, and their conversion to and from
// the words of package pool.
//
// FromX makes the message of an X, ToX makes the X of a message. There are two kinds of ToX:
//
//   - What crosses the link between an agent and a hub comes from somebody else's program. ToSample, ToEvidence,
//     ToAssignment, ToTerms and ToPulse check it and return an error that says what is wrong, and so do the decoders
//     (DecodeUp, UnwrapUp and their counterparts). Nothing that they let through can overflow, contradict itself or
//     spoil a log.
//   - What stays among a hub's own actors was made by a FromX. It is converted without a check: what isn't set is
//     zero, what is too large for its field is cut off, nothing panics.
//
// On the wire times are whole microseconds since the Unix epoch, and 0 is the zero time; those of a grant are whole
// seconds. Intervals are whole milliseconds. What is finer is cut off. Offsets and delays are exact.
//
// A message and the value it was made of share memory: neither may be changed afterwards. A message never is.
//
// The package leaves it to others to decide who may say what: to the link where a message may go, to the session
// whether a ticket is genuine, to the agent which addresses may be probed.
package messages
