package messages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxLive is how many bytes of JSON a live message may have: ten times the longest of ours, so that newer hubs
// have room to say more.
const maxLive = 16 << 10

// LiveJSON is a live message as watchers get it: one line of JSON with the names of live.proto. Zero values are
// written; only offset_ms and rtt_ms are left out where they aren't known. Texts are made legible where JSON can't
// hold them. The same message always gives the same bytes.
func LiveJSON(m proto.Message) []byte {
	options := protojson.MarshalOptions{UseProtoNames: true, EmitDefaultValues: true}
	spaced, err := options.Marshal(m)
	if err != nil {
		m = proto.Clone(m)
		makeLegible(m)
		spaced, err = options.Marshal(m)
	}
	// protojson adds spaces at the whim of the program's checksum, so that nobody relies on them.
	var line bytes.Buffer
	line.Grow(len(spaced))
	if err := errors.Join(err, json.Compact(&line, spaced)); err != nil {
		panic(fmt.Errorf("encode a %T: %w", m, err)) // texts are all that protojson refuses in messages like ours
	}
	return line.Bytes()
}

// makeLegible makes all texts of a live message legible.
func makeLegible(m proto.Message) {
	fields := m.ProtoReflect()
	fields.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Kind() == protoreflect.StringKind {
			fields.Set(field, protoreflect.ValueOfString(Legible(value.String())))
		}
		return true
	})
}

// DecodeLiveScore reads what a topic of kind score carries. As in all of DecodeLiveX, fields that it doesn't know
// are ignored, since the hub may be newer, and texts are made legible, since they end up on a terminal.
func DecodeLiveScore(payload []byte) (*LiveScore, error) { return decodeLive(payload, new(LiveScore)) }

// DecodeLiveSample reads what a topic of kind sample carries.
func DecodeLiveSample(payload []byte) (*LiveSample, error) {
	return decodeLive(payload, new(LiveSample))
}

// DecodeLiveSelection reads what a topic of kind selection carries.
func DecodeLiveSelection(payload []byte) (*LiveSelection, error) {
	return decodeLive(payload, new(LiveSelection))
}

// DecodeLiveAgent reads what an agent's status carries.
func DecodeLiveAgent(payload []byte) (*LiveAgent, error) { return decodeLive(payload, new(LiveAgent)) }

// DecodeLiveHub reads what a hub's status carries.
func DecodeLiveHub(payload []byte) (*LiveHub, error) { return decodeLive(payload, new(LiveHub)) }

func decodeLive[M proto.Message](payload []byte, m M) (M, error) {
	var none M
	if len(payload) > maxLive {
		return none, fmt.Errorf("decode a %T: %d bytes are more than %d", m, len(payload), maxLive)
	}
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(payload, m); err != nil {
		return none, fmt.Errorf("decode a %T: %w", m, err)
	}
	makeLegible(m)
	return m, nil
}
