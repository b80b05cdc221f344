package messages

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
)

// The wire format is a promise to agents in the field: they speak what testdata/*.golden holds, and no hub can make
// them speak otherwise. Each file is a frame with one message, in hexadecimal. A field may be added to a message,
// and then to its specimen and its file; what is there already never changes.
func TestTheWireFormatIsAPromiseToAgentsInTheField(t *testing.T) {
	for _, m := range upSpecimens() {
		envelope, err := WrapUp("hub/gateway/session/fra1.example.7", "agent/uplink", m)
		if err != nil {
			t.Fatalf("wrap: %v", err)
		}
		compareToGolden(t, m, &Up{Messages: []*FromAgent{envelope}})
	}
	for _, m := range downSpecimens() {
		envelope, err := WrapDown("agent/probe/v4", "hub/gateway/session/fra1.example.7", m)
		if err != nil {
			t.Fatalf("wrap: %v", err)
		}
		compareToGolden(t, m, &Down{Messages: []*FromHub{envelope}})
	}
}

// compareToGolden compares a frame that holds m with that of the agents in the field, in both directions.
func compareToGolden(t *testing.T, m, frame proto.Message) {
	name := strings.ToLower(string(m.ProtoReflect().Descriptor().Name()))
	golden := readGolden(t, filepath.Join("testdata", name+".golden"))
	theirs := frame.ProtoReflect().New().Interface()
	if err := proto.Unmarshal(golden, theirs); err != nil {
		t.Errorf("%s: agents in the field are no longer understood: %v", name, err)
	}
	if diff := cmp.Diff(theirs, frame, protocmp.Transform()); diff != "" {
		t.Errorf("%s: agents in the field mean -, this program means +:\n%s", name, diff)
	}
	wire, err := proto.MarshalOptions{Deterministic: true}.Marshal(frame)
	if err != nil {
		t.Fatalf("%s: encode: %v", name, err)
	}
	if want, have := inLines(golden), inLines(wire); want != have {
		t.Errorf("%s: agents in the field speak\n%sthis program speaks\n%s", name, want, have)
	}
}

// A field that no specimen sets would be no part of the promise.
func TestTheSpecimensSetEveryField(t *testing.T) {
	set := make(map[protoreflect.FullName]bool)
	for _, m := range append(upSpecimens(), downSpecimens()...) {
		collectSet(m.ProtoReflect(), set)
	}
	for _, m := range append(upSpecimens(), downSpecimens()...) {
		for _, name := range fieldsWithin(m.ProtoReflect().Descriptor()) {
			if !set[name] {
				t.Errorf("no specimen sets %s", name)
			}
		}
	}
}

// collectSet notes the fields that are set in a message and in all within it.
func collectSet(m protoreflect.Message, set map[protoreflect.FullName]bool) {
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		set[field.FullName()] = true
		switch {
		case field.Message() == nil:
		case field.IsList():
			for i := range value.List().Len() {
				collectSet(value.List().Get(i).Message(), set)
			}
		default:
			collectSet(value.Message(), set)
		}
		return true
	})
}

// fieldsWithin names all fields of a message and of those within it.
func fieldsWithin(kind protoreflect.MessageDescriptor) []protoreflect.FullName {
	var names []protoreflect.FullName
	for i := range kind.Fields().Len() {
		field := kind.Fields().Get(i)
		names = append(names, field.FullName())
		if field.Message() != nil {
			names = append(names, fieldsWithin(field.Message())...)
		}
	}
	return names
}

// readGolden reads a file of hexadecimal digits in lines.
func readGolden(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("read what agents in the field speak: %v", err)
	}
	golden, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatalf("read what agents in the field speak: %s: %v", path, err)
	}
	return golden
}

// inLines writes bytes as a golden file has them: hexadecimal, 32 a line.
func inLines(wire []byte) string {
	var lines strings.Builder
	for len(wire) > 0 {
		line := wire[:min(32, len(wire))]
		lines.WriteString(hex.EncodeToString(line) + "\n")
		wire = wire[len(line):]
	}
	return lines.String()
}
