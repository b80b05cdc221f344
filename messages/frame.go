package messages

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The bounds of a frame. Whoever sends frames stays within them, whoever receives more ends the link.
const (
	// MaxFrame is how many bytes a frame may have: a full batch whose samples all carry the longest texts
	// takes little more than half of it.
	MaxFrame = 512 << 10

	// MaxFrameMessages is how many messages a frame may have. More of them together save no system call.
	MaxFrameMessages = 512

	// maxNested is how many messages a frame may have in all, those within others included. Two bytes on the wire
	// make a message of 100 bytes in memory, so that MaxFrame alone would let an agent take 30 MB with one frame;
	// this bounds it to 2 MB. A frame full of the shortest real samples or assignments has 7,000.
	maxNested = 8192
)

// DecodeUp reads a frame from an agent. The error says why it is no frame; it never panics.
// What is in the frame has yet to be unwrapped by UnwrapUp.
func DecodeUp(frame []byte) (*Up, error) {
	up := new(Up)
	if err := decodeFrame(frame, up); err != nil {
		return nil, fmt.Errorf("decode a frame from an agent: %w", err)
	}
	if err := checkFrameMessages(len(up.Messages)); err != nil {
		return nil, fmt.Errorf("decode a frame from an agent: %w", err)
	}
	return up, nil
}

// DecodeDown reads a frame from a hub. The error says why it is no frame; it never panics.
// What is in the frame has yet to be unwrapped by UnwrapDown.
func DecodeDown(frame []byte) (*Down, error) {
	down := new(Down)
	if err := decodeFrame(frame, down); err != nil {
		return nil, fmt.Errorf("decode a frame from a hub: %w", err)
	}
	if err := checkFrameMessages(len(down.Messages)); err != nil {
		return nil, fmt.Errorf("decode a frame from a hub: %w", err)
	}
	return down, nil
}

// decodeFrame checks what the frame would take in memory before it takes any.
func decodeFrame(frame []byte, into proto.Message) error {
	if len(frame) > MaxFrame {
		return fmt.Errorf("%d bytes are more than %d", len(frame), MaxFrame)
	}
	if nested(into.ProtoReflect().Descriptor(), frame, maxNested) > maxNested {
		return fmt.Errorf("more than %d messages within it", maxNested)
	}
	return proto.Unmarshal(frame, into)
}

func checkFrameMessages(messages int) error {
	if messages > MaxFrameMessages {
		return fmt.Errorf("%d messages are more than %d", messages, MaxFrameMessages)
	}
	return nil
}

// nested counts the messages within a message on the wire, at any depth, until they are more than most.
// Where the wire format is broken it stops, as Unmarshal will.
func nested(kind protoreflect.MessageDescriptor, wire []byte, most int) int {
	count := 0
	for len(wire) > 0 && count <= most {
		number, form, head := protowire.ConsumeTag(wire)
		if head < 0 {
			break
		}
		size := protowire.ConsumeFieldValue(number, form, wire[head:])
		if size < 0 {
			break
		}
		if inner := messageOf(kind, number); inner != nil && form == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(wire[head:])
			count += 1 + nested(inner, value, most-count)
		}
		wire = wire[head+size:]
	}
	return count
}

// messageOf is which message a field holds; nil: it holds none.
func messageOf(kind protoreflect.MessageDescriptor, number protowire.Number) protoreflect.MessageDescriptor {
	if field := kind.Fields().ByNumber(number); field != nil {
		return field.Message()
	}
	return nil
}
